# One image for every part; the command says which: `docker run doorstep order`. docker-compose.yml runs them.
FROM node:20-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# What install scripts would fetch or build, nothing here needs.
FROM base AS build
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

# Optional are Prisma's command line, 250 MB; the PostgreSQL of `doorstep all`, which in containers has one of
# its own; and two packages' code for this machine, which is brought from above.
FROM base AS dependencies
RUN npm ci --ignore-scripts --omit=dev --omit=optional

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/node_modules/@node-rs node_modules/@node-rs
COPY --from=build /app/node_modules/@antoniomuso node_modules/@antoniomuso
COPY package.json ./
COPY bin bin
COPY scripts/health.mjs scripts/
COPY prisma prisma
COPY gateway/supergraph.graphql gateway/
COPY subgraphs/user/schema.graphql subgraphs/user/common-passwords.txt subgraphs/user/
COPY subgraphs/order/schema.graphql subgraphs/order/
COPY subgraphs/payment/schema.graphql subgraphs/payment/
COPY subgraphs/delivery/schema.graphql subgraphs/delivery/
COPY subgraphs/event/schema.graphql subgraphs/event/
COPY --from=build /app/dist dist
# Everything above is root's: the program can read it and change nothing.
USER node
EXPOSE 4000 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/bin/doorstep"]
CMD ["gateway"]
