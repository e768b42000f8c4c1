/** Points of a curve of any length in bounded memory: past CAPACITY points, neighbours are averaged. */
export class Series {
    static readonly CAPACITY = 1500;
    x: number[] = [];
    y: number[] = [];
    /** Values of the last point that are still to be averaged: each point stands for `each` values. */
    private each = 1;
    private count = 0;
    private sum = 0;

    add(x: number, y: number): void {
        this.sum += y;
        if (++this.count < this.each) return;
        this.x.push(x);
        this.y.push(this.sum / this.count);
        this.count = this.sum = 0;
        if (this.x.length >= Series.CAPACITY) this.halve();
    }

    /** Each point is the mean of two, where the later one was. */
    private halve(): void {
        this.x = this.x.filter((_, i) => i % 2 === 1);
        this.y = this.x.map((_, i) => (this.y[2 * i]! + this.y[2 * i + 1]!) / 2);
        this.each *= 2;
    }

    get last(): number | undefined {
        return this.y[this.y.length - 1];
    }
}
