/** Several things to dispose of together, last first: AsyncDisposableStack, which Node 20 lacks. */

export class Owned implements AsyncDisposable {
  readonly #things: (AsyncDisposable | Disposable)[] = [];

  use<T extends AsyncDisposable | Disposable>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let thing = this.#things.pop(); thing !== undefined; thing = this.#things.pop()) {
      if (Symbol.asyncDispose in thing) await thing[Symbol.asyncDispose]();
      else thing[Symbol.dispose]();
    }
  }
}
