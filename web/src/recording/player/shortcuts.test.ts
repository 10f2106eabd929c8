import { afterEach, describe, expect, test } from "vitest";
import { isTaken, shortcutOf } from "./shortcuts";

function press(key: string, more: Partial<KeyboardEventInit> = {}): KeyboardEvent {
  return new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
}

describe("what a key is for", () => {
  test.each([
    [" ", {}, { do: "toggle" }],
    ["K", { shiftKey: true }, { do: "toggle" }],
    ["ArrowLeft", {}, { do: "by", seconds: -5 }],
    ["l", {}, { do: "by", seconds: 15 }],
    ["7", {}, { do: "part", tenth: 7 }],
    ["?", { shiftKey: true }, { do: "help" }],
    ["f", { ctrlKey: true }, { do: "find" }],
    ["z", { metaKey: true }, { do: "undo" }],
    ["Z", { metaKey: true, shiftKey: true }, { do: "redo" }],
    ["y", { ctrlKey: true }, { do: "redo" }],
    ["ArrowDown", { altKey: true }, { do: "segment", step: 1 }],
    ["ㅏ", { code: "KeyK" }, { do: "toggle" }],
    ["ㅋ", { code: "KeyZ", ctrlKey: true }, { do: "undo" }],
  ])("%j %j", (key, more, shortcut) => {
    expect(shortcutOf(press(key, more))).toEqual(shortcut);
  });

  test.each([
    ["k", { ctrlKey: true }],
    ["ArrowLeft", { altKey: true }],
    ["x", {}],
    ["Enter", {}],
    ["toString", {}],
    ["F5", {}],
  ])("%j %j is nothing of the page", (key, more) => {
    expect(shortcutOf(press(key, more))).toBeNull();
  });
});

describe("whose key it is", () => {
  afterEach(() => document.body.replaceChildren());

  function isTakenOn(html: string, key: string, more: Partial<KeyboardEventInit> = {}): boolean {
    document.body.innerHTML = html;
    const event = press(key, more);
    const shortcut = shortcutOf(event);
    if (shortcut === null) throw new Error("no shortcut");
    document.body.querySelector("#on")?.dispatchEvent(event);
    return isTaken(event, shortcut);
  }

  test.each([
    ['<div id="on"></div>', " ", false],
    ['<input id="on">', "k", true],
    ['<textarea id="on"></textarea>', "b", true],
    ['<div contenteditable="true"><b id="on">x</b></div>', "1", true],
    ['<button id="on"></button>', " ", true],
    ['<button id="on"></button>', "k", false],
    ['<div role="slider" id="on"></div>', "ArrowLeft", true],
    ['<div role="tablist"><button id="on"></button></div>', "ArrowRight", true],
    ['<dialog open></dialog><div id="on"></div>', "k", true],
    ['<div role="menu"></div><div id="on"></div>', "j", true],
    ['<input type="range" id="on">', "k", false],
  ])("%s %j", (html, key, taken) => {
    expect(isTakenOn(html, key)).toBe(taken);
  });

  test("the search is opened from a field, but not from its own", () => {
    expect(isTakenOn('<input id="on">', "f", { ctrlKey: true })).toBe(false);
    expect(isTakenOn('<form data-find><input id="on"></form>', "f", { ctrlKey: true })).toBe(true);
  });
});
