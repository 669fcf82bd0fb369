/** What clients hold open, sockets and streams alike: how many in all, and how many of one user. */
export interface Places {
  /** Takes one of all; undefined where there is none left. The answer gives it back, and is called once. */
  take(): (() => void) | undefined;
  /** Takes one of those of a user. */
  takeOf(userId: string): (() => void) | undefined;
}

export function createPlaces(limits: { sockets: number; socketsPerUser: number }): Places {
  let taken = 0;
  const ofUsers = new Map<string, number>();
  return {
    take() {
      if (taken >= limits.sockets) return undefined;
      taken += 1;
      return () => {
        taken -= 1;
      };
    },
    takeOf(userId) {
      const before = ofUsers.get(userId) ?? 0;
      if (before >= limits.socketsPerUser) return undefined;
      ofUsers.set(userId, before + 1);
      return () => {
        const left = (ofUsers.get(userId) ?? 1) - 1;
        if (left > 0) ofUsers.set(userId, left);
        else ofUsers.delete(userId);
      };
    },
  };
}
