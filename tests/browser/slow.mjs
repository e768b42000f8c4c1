/* What a slow machine does to the page, for `tools/dev browser --slow`: all that it waits for comes late, at random, but in
 * its order. A test that looks once for what follows from an action finds the page as it was before. */

/** Runs in the page before its own code. */
function delay() {
    const LEAST = 50; // milliseconds
    const MOST = 400;
    const { setTimeout, requestAnimationFrame, cancelAnimationFrame, ResizeObserver } = globalThis;
    const now = performance.now.bind(performance); // the page's clock may be another one later

    /** A function that calls others later, in the order in which it is given them. */
    function queue() {
        const waiting = [];
        let last = 0;
        return (action) => {
            waiting.push(action);
            last = Math.max(last, now() + LEAST + (MOST - LEAST) * Math.random());
            setTimeout(() => waiting.shift()(), last - now()); // timers of the same millisecond have no order
        };
    }

    globalThis.Worker = class extends Worker {
        #to = queue();
        #from = queue();
        postMessage(...message) {
            this.#to(() => super.postMessage(...message));
        }
        set onmessage(listener) {
            super.onmessage = (event) => this.#from(() => listener.call(this, event));
        }
    };

    globalThis.setTimeout = (action, wait = 0, ...values) => setTimeout(action, wait + MOST / 2, ...values);

    const frames = new Map(); // by what the page was given
    let next = 1;
    globalThis.requestAnimationFrame = (action) => {
        const id = next++;
        frames.set(id, 0);
        setTimeout(() => {
            if (!frames.has(id)) return;
            frames.set(id, requestAnimationFrame((time) => {
                frames.delete(id);
                action(time);
            }));
        }, LEAST);
        return id;
    };
    globalThis.cancelAnimationFrame = (id) => {
        cancelAnimationFrame(frames.get(id));
        frames.delete(id);
    };

    globalThis.ResizeObserver = class extends ResizeObserver {
        constructor(listener) {
            const later = queue();
            super((...values) => later(() => listener(...values)));
        }
    };

    // Events that follow an action at some time, unlike those of keys and the pointer.
    const { addEventListener } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (type, listener, ...options) {
        if (type !== "toggle") return addEventListener.call(this, type, listener, ...options);
        const later = queue();
        return addEventListener.call(this, type, (event) => later(() => listener.call(this, event)), ...options);
    };
}

/** Slows the pages of a context, from the next address on; their own code gets a `rate`-th of the processor's time. */
export async function slow(context, rate = 4) {
    await context.addInitScript(delay);
    context.on("page", async (page) => {
        const session = await context.newCDPSession(page);
        await session.send("Emulation.setCPUThrottlingRate", { rate });
    });
}
