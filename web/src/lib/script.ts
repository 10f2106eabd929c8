const HANGUL = /\p{Script=Hangul}/u;

/** Returns "ko" for a text with Hangul, as the `lang` of its element: Korean breaks between words and sounds Korean. */
export function languageOf(text: string): "ko" | undefined {
  return HANGUL.test(text) ? "ko" : undefined;
}
