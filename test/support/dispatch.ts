import { until } from '../../platform/testing/until.js';
import type { Answer } from './client.js';
import { courierAccount } from './couriers.js';
import type { System } from './system.js';
import type { SeenChange } from './watched.js';

/** A courier, and the token of the account that acts for it. */
export interface TestCourier {
  id: string;
  token: string;
}

/** What staff, couriers and customers do about deliveries at the gateway. */
export interface Dispatch {
  /** A courier with an account of its own, AVAILABLE. */
  hire(name: string): Promise<TestCourier>;
  /** Without a courier: to the best one. */
  assign(orderId: string, courierId: string | null, token?: string): Promise<Answer<Assigned>>;
  unassign(orderId: string, token?: string): Promise<Answer<Record<string, unknown>>>;
  move(orderId: string, status: string, token: string, reason?: string): Promise<Answer<Moved>>;
  /** Takes a delivery all these steps in one request. */
  moveAlong(orderId: string, steps: readonly string[], token: string): Promise<void>;
  cancel(orderId: string, token: string, reason?: string | null): Promise<Answer<Record<string, unknown>>>;
  /** Who has an order's delivery; undefined while nobody does. */
  courierOf(orderId: string): Promise<TestCourier | undefined>;
  /** Waits until somebody has it. */
  given(orderId: string): Promise<TestCourier>;
  /** Every courier's status by its id. */
  couriers(): Promise<Map<string, string>>;
  /** On duty or off it. */
  setDuty(courierIds: readonly string[], status: 'AVAILABLE' | 'OFFLINE'): Promise<void>;
}

interface Assigned {
  assignCourier: { status: string; courier: { id: string; name: string; phone: string; status: string } };
}
interface Moved {
  updateDeliveryStatus: { status: string; courier: { id: string } | null };
}

/** The steps from a courier's hand to the door. */
export const wayToTheDoor = ['IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED'] as const;
/** What those who watch see of them. */
export const seenToTheDoor = wayToTheDoor.map((status): SeenChange => [status, 'courier', null]);

export const codeOf = ({ errors }: Pick<Answer<unknown>, 'errors'>): string | undefined =>
  errors[0]?.extensions.code;

export function dispatchOf(system: System): Dispatch {
  const staff = system.staffToken;
  const tokenOf = (userId: string) => system.sign({ id: userId, role: 'COURIER', rights: 2 });
  const courierOf: Dispatch['courierOf'] = async (orderId) => {
    const { order } = await system.ask<{
      order: { delivery: { courier: { id: string; user: { id: string } } | null } | null };
    }>(
      'query ($id: ID!) { order(id: $id) { delivery { courier { id user { id } } } } }',
      { id: orderId },
      staff,
    );
    const courier = order.delivery?.courier;
    return courier ? { id: courier.id, token: await tokenOf(courier.user.id) } : undefined;
  };
  const aliased = (fields: string[]) => fields.map((field, index) => `f${index}: ${field}`).join(' ');

  return {
    async hire(name) {
      const { userId, token } = await courierAccount(system);
      const { createCourier } = await system.ask<{ createCourier: { id: string } }>(
        'mutation ($input: CreateCourierInput!) { createCourier(input: $input) { id } }',
        { input: { name, phone: '+49 30 123456', transport: 'SCOOTER', userId } },
        staff,
      );
      return { id: createCourier.id, token };
    },
    assign: (orderId, courierId, token = staff) =>
      system.graphql(
        `mutation ($orderId: ID!, $courierId: ID) { assignCourier(orderId: $orderId, courierId: $courierId) {
          status courier { id name phone status } } }`,
        { orderId, courierId },
        token,
      ),
    unassign: (orderId, token = staff) =>
      system.graphql(
        `mutation ($orderId: ID!) { unassignCourier(orderId: $orderId) {
          status courier { id } history { status by reason } } }`,
        { orderId },
        token,
      ),
    move: (orderId, status, token, reason) =>
      system.graphql(
        `mutation ($orderId: ID!, $status: DeliveryStatus!, $reason: String) {
          updateDeliveryStatus(orderId: $orderId, status: $status, reason: $reason) { status courier { id } } }`,
        { orderId, status, reason: reason ?? null },
        token,
      ),
    async moveAlong(orderId, steps, token) {
      const fields = steps.map((status) => `updateDeliveryStatus(orderId: $id, status: ${status}) { id }`);
      if (fields.length > 0)
        await system.ask(`mutation ($id: ID!) { ${aliased(fields)} }`, { id: orderId }, token);
    },
    cancel: (orderId, token, reason = null) =>
      system.graphql(
        `mutation ($id: ID!, $reason: String) { cancelOrder(id: $id, reason: $reason) {
          id status deliveryStatus } }`,
        { id: orderId, reason },
        token,
      ),
    courierOf,
    given: (orderId) => until('a courier has it', () => courierOf(orderId)),
    async couriers() {
      const { couriers } = await system.ask<{ couriers: { nodes: { id: string; status: string }[] } }>(
        '{ couriers(first: 100) { nodes { id status } } }',
        {},
        staff,
      );
      return new Map(couriers.nodes.map(({ id, status }) => [id, status]));
    },
    async setDuty(courierIds, status) {
      const fields = courierIds.map((id) => `setCourierStatus(id: "${id}", status: ${status}) { id }`);
      await system.ask(`mutation { ${aliased(fields)} }`, {}, staff);
    },
  };
}
