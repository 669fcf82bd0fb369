import type { Role } from '../platform/auth/principal.js';
import { stableId } from '../platform/ids.js';

/** An account that stands wherever demo data is on; its id is the same in every service. */
export interface DemoUser {
  id: string;
  email: string;
  role: Role;
}

const user = (login: string, role: Role): DemoUser => {
  const email = `${login}@example.com`;
  return { id: stableId(`user:${email}`), email, role };
};

export const demoCourierCount = 10;
export const demoPassword = 'doorstep-demo';

export const demoCustomer = user('customer', 'CUSTOMER');
export const demoCouriers = Array.from({ length: demoCourierCount }, (_, index) =>
  user(`courier${index + 1}`, 'COURIER'),
);
export const demoUsers: DemoUser[] = [
  demoCustomer,
  user('dispatcher', 'DISPATCHER'),
  user('admin', 'ADMIN'),
  ...demoCouriers,
];
