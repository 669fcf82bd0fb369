import { type Audit, demand, InVain, part } from '../audit.js';
import type { Handshake } from '../peer.js';
import type { Session } from '../session.js';
import { subprotocol } from '../target.js';

const communication = 'Communication';
const rfc = 'RFC 6455, 4.2.2';
const unknown = 'x-conformance';

async function chosen(session: Session, lines: string[]): Promise<void> {
  const { status, chosen } = await session.shakeHands(lines);
  demand(status === 101, `the handshake is answered with 101; got ${status}`);
  demand(chosen === subprotocol, `${subprotocol} is chosen; got ${chosen ?? 'none'}`);
}

/** How the server ends what has no subprotocol: the handshake by a status, or the socket by a close. */
async function refusal({ status, chosen, peer }: Handshake): Promise<{ status?: number; code?: number }> {
  if (status !== 101) return { status };
  demand(chosen === undefined, `no subprotocol is chosen that was not offered; got ${chosen}`);
  if (!peer) return {};
  peer.init();
  const ending = await peer.until(
    'the server refuses a client without the subprotocol',
    () => peer.closing ?? peer.messages.find(({ type }) => type === 'connection_ack'),
  );
  demand('code' in ending, 'a client without the subprotocol is not acknowledged; it was');
  return { code: ending.code };
}

/** That a server does nothing is no service either. */
async function notServed(session: Session, lines: string[]): Promise<void> {
  try {
    await refusal(await session.shakeHands(lines));
  } catch (error) {
    if (!(error instanceof InVain)) throw error;
  }
}

async function refused(session: Session, lines: string[]): Promise<void> {
  const { status, code } = await refusal(await session.shakeHands(lines));
  const said = (status !== undefined && status >= 400 && status < 500) || code === 4406;
  demand(said, `it is refused with a 4xx status or closed with 4406; got ${status ?? code}`);
}

export const handshake: Audit[] = part('handshake', [
  [
    'alone',
    'MUST',
    communication,
    'chooses graphql-transport-ws where it alone is offered',
    (session) => chosen(session, [subprotocol]),
  ],
  [
    'among-others',
    'MUST',
    communication,
    'chooses graphql-transport-ws among several, wherever it stands',
    async (session) => {
      await chosen(session, [`${unknown}, ${subprotocol}`]);
      await chosen(session, [`${subprotocol},${unknown}`]);
    },
  ],
  [
    'several-lines',
    'MUST',
    'RFC 6455, 11.3.4',
    'reads offers that stand in several header lines',
    (session) => chosen(session, [unknown, subprotocol]),
  ],
  [
    'not-offered',
    'MUST',
    rfc,
    'chooses no subprotocol that was not offered',
    async (session) => {
      for (const lines of [[], [unknown]]) {
        const { chosen } = await session.shakeHands(lines);
        demand(
          chosen === undefined || lines.includes(chosen),
          `it was not offered, and is chosen: ${chosen}`,
        );
      }
    },
  ],
  [
    'unknown',
    'MUST',
    communication,
    'does not serve who offers other subprotocols only',
    (session) => notServed(session, [unknown]),
  ],
  [
    'unknown-refused',
    'SHOULD',
    communication,
    'refuses who offers other subprotocols only: a 4xx status, or 4406',
    (session) => refused(session, [unknown]),
  ],
  [
    'none',
    'MUST',
    communication,
    'does not serve who offers no subprotocol',
    (session) => notServed(session, []),
  ],
  [
    'none-refused',
    'SHOULD',
    communication,
    'refuses who offers no subprotocol: a 4xx status, or 4406',
    (session) => refused(session, []),
  ],
]);
