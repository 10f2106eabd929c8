import type api from "../api/locales/en.json";
import type app from "../app/locales/en.json";
import type library from "../library/locales/en.json";
import type live from "../live/locales/en.json";
import type recording from "../recording/locales/en.json";
import type minutes from "../recording/minutes/locales/en.json";
import type similar from "../recording/similar/locales/en.json";
import type search from "../search/locales/en.json";
import type settings from "../settings/locales/en.json";
import type ui from "../ui/locales/en.json";
import type uploads from "../uploads/locales/en.json";
import type workflows from "../workflows/locales/en.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "ui";
    keySeparator: false;
    resources: {
      api: typeof api;
      app: typeof app;
      library: typeof library;
      live: typeof live;
      recording: typeof recording;
      "recording/minutes": typeof minutes;
      "recording/similar": typeof similar;
      search: typeof search;
      settings: typeof settings;
      ui: typeof ui;
      uploads: typeof uploads;
      workflows: typeof workflows;
    };
  }
}
