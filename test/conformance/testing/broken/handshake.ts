import { subprotocol } from '../../target.js';
import type { Broken } from './broken.js';

export const inHandshake: Broken[] = [
  {
    name: 'takes the first subprotocol that is offered',
    chooseProtocol: (offered) => [...offered][0] ?? false,
    fails: ['handshake/among-others', 'handshake/several-lines'],
  },
  {
    name: 'names no subprotocol',
    chooseProtocol: () => false,
    fails: ['handshake/alone'],
  },
  {
    name: 'names its subprotocol whatever is offered',
    chooseProtocol: () => subprotocol,
    fails: ['handshake/not-offered'],
  },
  {
    name: 'serves sockets without the subprotocol',
    tamper: (socket) => void Object.defineProperty(socket, 'protocol', { value: subprotocol }),
    fails: ['handshake/none', 'handshake/none-refused', 'handshake/unknown', 'handshake/unknown-refused'],
  },
];
