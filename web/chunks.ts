import type { Rolldown } from "vite";

const SMALL = /\/node_modules\/(?:lucide-react|@tanstack\/(?:query-core|react-query)|@bufbuild\/protobuf)\//;
const OURS = /\/src\/(?:lib|ui|uploads\/pick)/;
/** Parts of src/ui and src/fields that the library does not begin with: forms, and with the largest library of all, menus. */
const FORMS = /\/src\/(?:ui\/(?:CheckboxGroup|Dialog|FormDialog|Switch|Tabs|TagField)|fields\/|api\/voices)/;
const MENUS = /\/src\/ui\/(?:Menu|Popover)/;
const TEXTS_OF_ALL = /\/src\/(?:api|app|ui)\/locales\/(\w+)\.json$/;

/**
 * Which modules become one file. Left alone, each icon and each function that two pages share is a file of its own: of
 * the sixty that the page of a recording then asks for, fifty are smaller than what asking for them takes.
 */
export const chunks: Rolldown.CodeSplittingOptions = {
  groups: [
    // What every page needs.
    { name: "base", tags: ["$initial"], priority: 4 },
    {
      debugName: "texts",
      name: (id) => {
        const language = TEXTS_OF_ALL.exec(id)?.[1];
        return language === undefined ? null : `texts-${language}`;
      },
      priority: 4,
    },
    // A group takes along what its modules need: the small ones come first, so that forms and menus don't get them.
    {
      name: "common",
      test: (id) => SMALL.test(id) || (OURS.test(id) && !FORMS.test(id) && !MENUS.test(id)),
      minShareCount: 2,
      priority: 3,
    },
    { name: "forms", test: FORMS, minShareCount: 2, priority: 2 },
    { name: "menus", test: MENUS, minShareCount: 2, priority: 1 },
  ],
};
