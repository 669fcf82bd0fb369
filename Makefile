# Every target installs and builds first when it has to. Recipes are one line where they can be: the work
# is done by npm scripts (package.json) and bin/doorstep.
.DEFAULT_GOAL := help
.PHONY: help run up down logs test test-coverage fuzz soak bench bench-events bench-gateway bench-page bench-subscriptions bench-users lint fmt build health kafka create-admin migrate migrate-down migrate-status clean
.DELETE_ON_ERROR:

installed := node_modules/.package-lock.json
built := dist/.built
folders := app bench events gateway platform prisma scripts subgraphs test
sources := $(wildcard *.ts) tsconfig.json $(shell find $(folders) \( -name generated -o -name node_modules \) -prune -o -type f \
	\( -name '*.ts' -o -name '*.graphql' -o -name '*.prisma' \) -print)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(built) ## Start everything in one process, with a PostgreSQL of its own, and demo data; KAFKA=1 adds a Kafka broker
	@npm start --silent -- $(if $(KAFKA),--kafka)

test: $(built) ## Run all tests
	@npm test --silent

test-coverage: $(built) ## Run all tests and measure what they reach, into coverage/
	@npm run --silent test:coverage

fuzz: $(installed) ## Put 25,000 random queries to our executor and to ApolloGateway's, 10,000 runs of commands and events to a model, and 20,000 hostile requests to every door; FUZZ_SEED=n
	@npm run --silent fuzz

soak: $(built) ## Kill everything again and again under subscribers who must miss nothing (needs Java, Maven); SECONDS=300, SUBSCRIBERS=500, ORDERS=2000, SEED=n
	@npm run --silent soak -- $(if $(SECONDS),--seconds=$(SECONDS)) $(if $(SUBSCRIBERS),--subscribers=$(SUBSCRIBERS)) \
		$(if $(ORDERS),--orders=$(ORDERS)) $(if $(SEED),--seed=$(SEED))

bench: $(built) ## Orders a second, beside what PostgreSQL alone can do, and what an order costs (needs pgbench); ORDERS=2000, KAFKA=1, DURABLE=1
	@npm run --silent bench -- $(if $(KAFKA),--kafka) $(if $(DURABLE),--durable)

bench-events: $(built) ## Events a second that staff can publish, beside a bare kafkajs producer (needs Java, Maven); FLAGS="--rounds=3 --seconds=5"
	@npm run --silent bench:events -- $(FLAGS)

bench-gateway: $(built) ## Requests a second of this gateway, of others, and of the same fetches with no GraphQL; FLAGS="--only=ours,stock,floor"
	@npm run --silent bench:gateway -- $(FLAGS)

bench-page: $(built) ## The order page through the whole stack, beside the all-stock one, on two processors (Linux); SECONDS=5, ROUNDS=5
	@npm run --silent bench:page -- $(if $(SECONDS),--seconds=$(SECONDS)) $(if $(ROUNDS),--rounds=$(ROUNDS))

bench-subscriptions: $(built) ## What a delivery and an idle subscriber cost, beside a plain broadcast, queries and bare graphql-ws (Linux); FLAGS="--rounds=1"
	@npm run --silent bench:subscriptions -- $(FLAGS)

bench-users: $(built) ## A page of users that are kept in Redis or in the process, beside the same read from PostgreSQL, and publishEvents beside a bare producer (needs Java, Maven)
	@npm run --silent bench:users
	@npm run --silent bench:events

lint: $(installed) ## Check formatting, lint rules, imports between folders, types, and that the supergraph is fresh
	@npm run --silent lint

fmt: $(installed) ## Format, sort imports, and mend what can be mended safely
	@npm run --silent fmt

build: $(built) ## Generate and compile, into dist/

health: ## Ask a running doorstep whether it is ready (PORT, HOST)
	@node scripts/health.mjs

kafka: $(installed) ## Run a Kafka broker here, of DATA_DIR; prints KAFKA_BROKERS (needs Java and Maven)
	@npm run --silent kafka

up: ## Start everything in containers, one a service, and wait until it is ready (needs Docker)
	@node scripts/compose.mjs up --build --detach

down: ## Stop the containers; VOLUMES=1 throws away what they have stored
	@node scripts/compose.mjs down $(if $(VOLUMES),--volumes)

logs: ## Follow the logs of all containers, or of SERVICE
	@node scripts/compose.mjs logs --follow --tail=100 $(SERVICE)

create-admin: $(built) ## Make an account of role ADMIN, and print its password once: EMAIL=ada@example.com
	@bin/doorstep create-admin --email "$(EMAIL)"

migrate: $(built) ## Apply pending migrations, of all services or of SERVICE
	@bin/doorstep migrate up $(SERVICE)

migrate-down: $(built) ## Take back the last migration, of all services or of SERVICE
	@bin/doorstep migrate down $(SERVICE)

migrate-status: $(built) ## List the migrations and whether they are applied
	@bin/doorstep migrate status $(SERVICE)

clean: ## Remove what was built (keeps node_modules and .data)
	rm -rf dist coverage subgraphs/*/generated

# An npm older than 11 runs install scripts whatever package.json allows; Prisma's would download an engine
# that nothing here uses, unless it is told of one.
$(installed): package-lock.json
	@node scripts/check-node.mjs
	PRISMA_SCHEMA_ENGINE_BINARY="$$(command -v node)" npm ci
	@touch $@

$(built): $(installed) $(sources)
	npm run --silent build
	@touch $@
