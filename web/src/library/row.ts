import type { TFunction } from "i18next";

/** Height of a row where there is room for its parts beside each other; on a phone it is higher. */
export const ROW_PIXELS = 68;

/** Rows and their parts get the texts from the list: to ask for them in each of them takes a sixth of the time. */
export type WithTexts = { t: TFunction<"library"> };
