import "react";

declare module "react" {
  interface CSSProperties {
    /** The colour of who speaks. */
    "--speaker"?: string;
  }
}
