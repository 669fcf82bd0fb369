import type { Answer, Client } from './client.js';

export interface Session {
  accessToken: string;
  refreshToken: string;
  user: { id: string; email: string; role: string };
}
/** What is asked for of a session. */
export const selected = '{ accessToken refreshToken user { id email role } }';

export interface Sessions {
  tryLogin(email: string, password: string): Promise<Answer<{ login: Session }>>;
  /** Throws where it is refused. */
  login(email: string, password: string): Promise<Session>;
}

export function sessionsOf({ graphql }: Pick<Client, 'graphql'>): Sessions {
  const tryLogin: Sessions['tryLogin'] = (email, password) =>
    graphql(`mutation ($input: LoginInput!) { login(input: $input) ${selected} }`, {
      input: { email, password },
    });
  return {
    tryLogin,
    async login(email, password) {
      const { data, text } = await tryLogin(email, password);
      if (!data) throw new Error(text);
      return data.login;
    },
  };
}
