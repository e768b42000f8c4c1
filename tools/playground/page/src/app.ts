/* What a panel is given. */

import type { Client } from "./client";
import type { Catalogue, Checked, RunIndex } from "./protocol";
import type { Runs } from "./runs";
import type { PanelName, Store } from "./state";

/** A mark beside a line: a verdict. */
export interface Mark {
    line: number; // from 1
    kind: "right" | "wrong" | "undecided";
    title: string;
}

export interface Editor {
    text(): string;
    /** Replaces the whole text, as one change that undo takes back. */
    setText(text: string): void;
    /** Replaces `length` characters at a line and column, both from 1. */
    replace(line: number, column: number, length: number, text: string): void;
    /** Replaces a line, and keeps its indentation and the comment behind it. */
    replaceLine(line: number, text: string): void;
    /** Scrolls to a line and selects it; moves the focus there if `focus`. */
    showLine(line: number, focus?: boolean): void;
    /** Tints the lines from .. to; 0: none. */
    highlight(from: number, to?: number): void;
    /** Shows marks beside lines, until the next call. They move with their lines. */
    setMarks(marks: Mark[]): void;
    /** The cursor's line, from 1. */
    line(): number;
    focus(): void;
}

export interface App {
    store: Store;
    client: Client;
    runs: Runs;
    editor: Editor;
    /** Ops, cells, optimizers, options. */
    catalogue: Promise<Catalogue>;
    /** The latest check of the text; `text` is what was checked. */
    checked: Checked & { text: string };
    /** Calls after each check. */
    onChecked(listener: (checked: Checked & { text: string }) => void): void;
    /** Says something to those who listen to the page. */
    announce(text: string): void;
    /** Shows a message at the bottom of the page for a while, and announces it. */
    notify(text: string): void;
    showPanel(name: PanelName): void;
    /** Shows the values inside a run's net for a sample that is not one of the data. */
    look(run: RunIndex, x: number[], y: number[]): void;
    /** Shows those of run A for a validation sample, from 0. */
    lookAt(index: number): void;
}
