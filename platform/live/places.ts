/** What clients hold open, sockets and streams alike: how many in all, and how many of one user or address. */
export interface Places {
  /** Takes one of all; undefined where there is none left. The answer gives it back, and is called once. */
  take(): (() => void) | undefined;
  /** Takes one of those of a user, or of an address of those who are nobody. */
  takeOf(holder: string): (() => void) | undefined;
}

export function createPlaces(limits: { sockets: number; socketsPerUser: number }): Places {
  let taken = 0;
  const ofHolders = new Map<string, number>();
  return {
    take() {
      if (taken >= limits.sockets) return undefined;
      taken += 1;
      return () => {
        taken -= 1;
      };
    },
    takeOf(holder) {
      const before = ofHolders.get(holder) ?? 0;
      if (before >= limits.socketsPerUser) return undefined;
      ofHolders.set(holder, before + 1);
      return () => {
        const left = (ofHolders.get(holder) ?? 1) - 1;
        if (left > 0) ofHolders.set(holder, left);
        else ofHolders.delete(holder);
      };
    },
  };
}
