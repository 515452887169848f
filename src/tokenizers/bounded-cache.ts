/** A map of bounded size from strings, in two generations: what was not asked for during a whole generation goes. */

export interface BoundedCache<Value extends object> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/** A cache of at most `limit` entries per generation. */
export function createBoundedCache<Value extends object>(limit: number): BoundedCache<Value> {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  const set = (key: string, value: Value): void => {
    if (young.size >= limit) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
    set(key, value) {
      set(detach(key), value);
    },
  };
}

/** A copy that does not keep alive the long text that the key was cut from, as engines' slices do. */
function detach(key: string): string {
  const units: number[] = [];
  for (let index = 0; index < key.length; index++) units.push(key.charCodeAt(index));
  return String.fromCharCode(...units);
}
