/** A promise that is opened from outside. */
export interface Gate {
  promise: Promise<void>;
  resolve(): void;
}

export function gate(): Gate {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}
