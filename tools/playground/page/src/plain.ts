/* Recurve's messages in the words of the page: a reader knows no path of the module's file system, and no caller. */

export function plain(text: string, method = "check"): string {
    const late = method === "prove" ? "the proof took more than 25 seconds" : "checking took more than 2 seconds";
    return text
        .replace(/[\w./-]*\b(?:cell|text)\.rv:(\d+)(?::\d+)?/g, "line $1")
        .replace(/\/files\//g, "")
        .replace("stopped here, as the caller asks", late)
        .replace("prove: stopped", late)
        .replace(/of \d+-byte elements is larger than an address space/g, "has more than 2^24 numbers");
}
