import type { Actor, Policy } from './actors.js';

/** NOTHING is null without a word. */
export type Refusal = 'NOT_FOUND' | 'FORBIDDEN' | 'NOTHING';

/** One root field as it is asked for, and who may. */
export interface Root {
  policy: Policy;
  /** What it is called with and what is selected of it; variables are those of the world. */
  call: string;
  /** What who may not is told; FORBIDDEN unless told, and UNAUTHENTICATED whoever is nobody. */
  refusal?: Refusal | Partial<Record<Actor, Refusal>>;
  /** Of a subscription, those for whom there is something at once: all who may unless told. */
  hears?: readonly Actor[];
}

const page = '{ totalCount }';
const type = '{ __typename }';

/** Every root field; one of the schema that is not here fails the test. */
export const roots: Record<'Query' | 'Mutation' | 'Subscription', Record<string, Root>> = {
  Query: {
    me: { policy: 'known', call: `me ${type}`, refusal: 'NOTHING' },
    users: { policy: 'staff', call: `users ${page}` },
    user: { policy: 'known', call: `user(id: $user) ${type}` },
    product: { policy: 'anyone', call: `product(id: $product) ${type}` },
    products: { policy: 'anyone', call: `products ${page}` },
    order: { policy: 'concerned', call: `order(id: $order) ${type}`, refusal: 'NOT_FOUND' },
    orders: { policy: 'owner', call: `orders(filter: { userId: $user }) ${page}`, refusal: 'NOT_FOUND' },
    payment: { policy: 'owner', call: `payment(id: $payment) ${type}`, refusal: 'NOT_FOUND' },
    myAccount: { policy: 'known', call: `myAccount ${type}` },
    delivery: { policy: 'concerned', call: `delivery(id: $delivery) ${type}`, refusal: 'NOT_FOUND' },
    deliveries: { policy: 'known', call: `deliveries ${page}` },
    courier: { policy: 'courier', call: `courier(id: $courier) ${type}`, refusal: 'NOT_FOUND' },
    couriers: { policy: 'staff', call: `couriers ${page}` },
    event: { policy: 'staff', call: `event(id: $event) ${type}` },
    events: { policy: 'staff', call: `events ${page}` },
    eventStats: { policy: 'staff', call: `eventStats ${type}` },
    deadLetters: { policy: 'staff', call: `deadLetters ${page}` },
    availableCourier: { policy: 'staff', call: `availableCourier ${type}` },
  },
  Mutation: {
    register: {
      policy: 'anyone',
      call: `register(input: { email: "no address", password: "", firstName: "", lastName: "" }) ${type}`,
    },
    login: { policy: 'anyone', call: `login(input: { email: "no address", password: "" }) ${type}` },
    refreshSession: { policy: 'anyone', call: `refreshSession(refreshToken: "none") ${type}` },
    logout: { policy: 'anyone', call: 'logout(refreshToken: "none")' },
    logoutEverywhere: { policy: 'known', call: 'logoutEverywhere' },
    changePassword: {
      policy: 'known',
      call: `changePassword(input: { currentPassword: "", newPassword: "" }) ${type}`,
    },
    updateUser: { policy: 'owner', call: `updateUser(input: { id: $user, firstName: "Rosa" }) ${type}` },
    deleteUser: { policy: 'admin', call: `deleteUser(id: $unknown) ${type}` },
    setUserRole: { policy: 'admin', call: `setUserRole(id: $unknown, role: CUSTOMER) ${type}` },
    createOrder: { policy: 'known', call: `createOrder(input: { items: [], deliveryAddress: "" }) ${type}` },
    cancelOrder: { policy: 'owner', call: `cancelOrder(id: $order) ${type}`, refusal: 'NOT_FOUND' },
    upsertProduct: {
      policy: 'staff',
      call: `upsertProduct(input: { name: "", price: "1" }) ${type}`,
    },
    topUp: {
      policy: 'owner',
      call: `topUp(input: { amount: "-1", idempotencyKey: "a", userId: $user }) ${type}`,
    },
    publishEvent: {
      policy: 'staff',
      call: `publishEvent(input: { kind: USER, type: "", data: {} }) ${type}`,
    },
    publishEvents: { policy: 'staff', call: `publishEvents(inputs: []) ${type}` },
    replayDeadLetters: { policy: 'admin', call: 'replayDeadLetters(first: 0)' },
    createCourier: {
      policy: 'staff',
      call: `createCourier(input: { name: "", phone: "", transport: FOOT }) ${type}`,
    },
    updateCourier: { policy: 'staff', call: `updateCourier(input: { id: $courier, name: "" }) ${type}` },
    setCourierStatus: { policy: 'staff', call: `setCourierStatus(id: $courier, status: BUSY) ${type}` },
    assignCourier: { policy: 'staff', call: `assignCourier(orderId: $done) ${type}` },
    unassignCourier: { policy: 'staff', call: `unassignCourier(orderId: $done) ${type}` },
    updateDeliveryStatus: {
      policy: 'courier',
      call: `updateDeliveryStatus(orderId: $order, status: OUT_FOR_DELIVERY) ${type}`,
      refusal: { otherCourier: 'NOT_FOUND' },
    },
    reportLocation: { policy: 'couriers', call: `reportLocation(latitude: 100, longitude: 0) ${type}` },
  },
  Subscription: {
    orderUpdated: { policy: 'owner', call: `orderUpdated(orderId: $order) ${type}`, refusal: 'NOT_FOUND' },
    myOrdersUpdated: { policy: 'known', call: `myOrdersUpdated ${type}`, hears: ['owner'] },
    paymentCompleted: {
      policy: 'owner',
      call: `paymentCompleted(orderId: $order) ${type}`,
      refusal: 'NOT_FOUND',
    },
    deliveryStatusChanged: {
      policy: 'concerned',
      call: `deliveryStatusChanged(orderId: $order) ${type}`,
      refusal: 'NOT_FOUND',
    },
    courierMoved: {
      policy: 'concerned',
      call: `courierMoved(orderId: $order) ${type}`,
      refusal: 'NOT_FOUND',
    },
    eventPublished: { policy: 'staff', call: `eventPublished ${type}`, hears: [] },
    deliveriesChanged: { policy: 'staff', call: `deliveriesChanged ${type}` },
  },
};

/** What one who may not is told. */
export function refusalOf({ refusal = 'FORBIDDEN' }: Root, actor: Actor): Refusal | 'UNAUTHENTICATED' {
  const told = typeof refusal === 'string' ? refusal : (refusal[actor] ?? 'FORBIDDEN');
  return actor === 'nobody' && told !== 'NOTHING' ? 'UNAUTHENTICATED' : told;
}
