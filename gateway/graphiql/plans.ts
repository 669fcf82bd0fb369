/**
 * Query plans in GraphiQL: JavaScript for a browser, as text. A switch at the top of the page, kept for the next
 * visit, has queries and mutations ask for their plan; a panel below the answer shows it, since it is a text of
 * many lines, which JSON would show as one. The page is React's: should it draw its own parts anew, these are put
 * back. Colours are the page's variables, so that they follow its theme.
 */
export const queryPlans = `
const doorstepPlans = (() => {
  const kept = 'doorstep:query-plan';
  const style = document.createElement('style');
  style.textContent = \`
    .doorstep-plan-switch {
      display: flex; align-items: center; gap: var(--px-8); margin-left: auto; padding: var(--px-4) var(--px-8);
      border-radius: var(--border-radius-4); white-space: nowrap; cursor: pointer; user-select: none;
      color: hsla(var(--color-neutral), var(--alpha-secondary)); font-size: var(--font-size-body);
    }
    .doorstep-plan-switch:hover { background: hsla(var(--color-neutral), var(--alpha-background-light)); }
    .doorstep-plan-switch:focus-within { outline: 2px solid hsla(var(--color-primary), 1); }
    .doorstep-plan-switch:has(:checked) { color: hsla(var(--color-neutral), 1); }
    .doorstep-plan-switch input {
      appearance: none; position: relative; width: 28px; height: 16px; margin: 0; border-radius: 8px; cursor: pointer;
      background: hsla(var(--color-neutral), var(--alpha-tertiary)); transition: background 0.15s; outline: none;
    }
    .doorstep-plan-switch input::after {
      content: ''; position: absolute; top: 2px; left: 2px; width: 12px; height: 12px; border-radius: 50%;
      background: hsl(var(--color-base)); transition: transform 0.15s;
    }
    .doorstep-plan-switch input:checked { background: hsl(var(--color-primary)); }
    .doorstep-plan-switch input:checked::after { transform: translateX(12px); }
    .graphiql-session-header .doorstep-plan-switch + .graphiql-logo { margin-left: 0; }
    #graphiql-session, .graphiql-response, .graphiql-response .result-window { min-height: 0; }
    .doorstep-plan {
      flex: 0 1 auto; display: flex; flex-direction: column; min-height: 72px; max-height: 50%;
      margin: var(--px-8) var(--px-16) var(--px-16);
      border: 1px solid hsla(var(--color-neutral), var(--alpha-background-heavy));
      border-radius: var(--border-radius-8); background: hsl(var(--color-base)); overflow: hidden;
    }
    .doorstep-plan[hidden] { display: none; }
    .doorstep-plan h2 {
      margin: 0; padding: var(--px-8) var(--px-16); font-size: var(--font-size-body); font-weight: var(--font-weight-medium);
      color: hsla(var(--color-neutral), var(--alpha-secondary));
      border-bottom: 1px solid hsla(var(--color-neutral), var(--alpha-background-heavy));
    }
    .doorstep-plan pre {
      margin: 0; padding: var(--px-12) var(--px-16); overflow: auto; tab-size: 2;
      font-family: var(--font-family-mono); font-size: var(--font-size-hint); line-height: 1.5;
      color: hsl(var(--color-neutral));
    }\`;
  document.head.append(style);

  const input = Object.assign(document.createElement('input'), { type: 'checkbox', checked: localStorage.getItem(kept) === 'on' });
  input.setAttribute('role', 'switch');
  const label = Object.assign(document.createElement('label'), {
    className: 'doorstep-plan-switch',
    title: 'Ask for the query plan of queries and mutations, and show it below their answer',
  });
  label.append(input, 'Query plan');
  const panel = Object.assign(document.createElement('section'), { className: 'doorstep-plan' });
  panel.setAttribute('aria-label', 'Query plan');
  const text = document.createElement('pre');
  text.tabIndex = 0;
  panel.append(Object.assign(document.createElement('h2'), { textContent: 'Query plan' }), text);

  let run = 0;
  const tell = (told) => {
    run++;
    text.textContent = told;
    text.scrollTop = 0;
    return run;
  };
  const rest = () => {
    panel.hidden = !input.checked;
    tell('Run a query or a mutation to see its plan.');
  };
  input.onchange = () => {
    localStorage.setItem(kept, input.checked ? 'on' : 'off');
    rest();
  };
  rest();
  // The plan is that of the answer above it, and each tab has an answer of its own.
  document.addEventListener('click', ({ target }) => {
    if (target.closest?.('.graphiql-tabs, .graphiql-tab-add')) rest();
  });
  const place = () => {
    if (label.isConnected && panel.isConnected) return;
    document.querySelector('.graphiql-logo')?.before(label);
    document.querySelector('.graphiql-response')?.append(panel);
  };
  new MutationObserver(place).observe(document.documentElement, { childList: true, subtree: true });

  return {
    /** Sends a query or a mutation, with its plan where that is wanted; the plan is taken out of the answer. */
    async ask(body, send) {
      if (!input.checked || body.operationName === 'IntrospectionQuery') return send(body);
      const mine = tell('...');
      const answer = await send({ ...body, extensions: { ...body.extensions, queryPlan: true } });
      const { queryPlan, ...extensions } = answer.extensions ?? {};
      if (mine === run) {
        const none = queryPlan === null ? 'It needs nothing from a subgraph.' : 'No plan came with this answer.';
        text.textContent = queryPlan || none;
      }
      if (queryPlan === undefined) return answer;
      const { extensions: _, ...others } = answer;
      return Object.keys(extensions).length > 0 ? { ...others, extensions } : others;
    },
    subscribed() {
      tell('Subscriptions are answered without their plan.');
    },
  };
})();
`;
