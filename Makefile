# Targets for people who work on objsrv. `make help` lists them; none is needed to build:
# `go build ./cmd/objsrv` does.

GO ?= go
# Packages and names for `make fuzz`, and how long each target runs.
FUZZTIME ?= 30s
# Peers that `make bench` measures in the same run: PEERS="minio=http://127.0.0.1:9100 ..."
PEERS ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: chaos deploy-example help build test race lint fuzz cover bench clients clients-admin clients-events identity quickstart quickstart-gateway functional ldap s3tests powercut fulldisk kill9 targets migrate bitrot fmt console console-check browser screenshots update-golden clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

build: ## build the server into bin/objsrv
	$(GO) build -trimpath -o bin/objsrv ./cmd/objsrv

test: ## vet and test everything (race detector when a C compiler is there)
	sh test.sh $(ARGS)

race: ## test everything with the race detector, which needs a C compiler
	CGO_ENABLED=1 $(GO) test -race -timeout 14m ./...

lint: ## gofmt, go vet, and staticcheck and shellcheck when installed
	@unformatted=$$(git ls-files '*.go' | xargs gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not gofmt-clean:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	@if command -v staticcheck >/dev/null; then staticcheck ./...; else echo "left out: staticcheck is not installed"; fi
	@if command -v shellcheck >/dev/null; then git ls-files '*.sh' .ci/run | xargs shellcheck; else echo "left out: shellcheck is not installed"; fi

fuzz: ## run each fuzz target for FUZZTIME (30s)
	@grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do \
	  for name in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | cut -d' ' -f2); do \
	    echo "== $$dir $$name"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$dir || exit 1; \
	  done; done

cover: ## test coverage by package, and bin/cover.html
	@mkdir -p bin
	$(GO) test -coverprofile bin/cover.out -coverpkg ./... ./... >/dev/null
	$(GO) tool cover -html bin/cover.out -o bin/cover.html
	$(GO) tool cover -func bin/cover.out | tail -n 1

bench: ## measure the server, and PEERS beside it (ARGS for further flags)
	PEERS="$(PEERS)" $(GO) run ./cmd/objsrv-bench $(ARGS)

clients: ## scripted sessions of aws cli, boto3, SDKs, mc, rclone, restic, s3cmd (UPSTREAM=weed WEED=binary: through a gateway)
	test/clients/run.sh $(ARGS)

clients-events: ## notifications of buckets by mc and aws cli beside a real MinIO (MC=, MINIO= binaries)
	test/clients/events/run.sh $(ARGS)

clients-admin: ## mc admin beside a real MinIO, and the move of its identities (MC=, MINIO= binaries)
	test/clients/admin/run.sh $(ARGS)

identity: ## logins with a real Keycloak and oidc-provider, by minio-go, aws cli and boto3 (NODE= JAVA= MVN= ...)
	test/identity/run.sh $(ARGS)

quickstart: ## docs/quickstart.md with a real Keycloak: server, login, credentials, their end (JAVA= MVN= or KEYCLOAK=)
	test/identity/quickstart.sh

quickstart-gateway: ## the same of two gateways over one etcd (UPSTREAM= another server than ours)
	test/identity/quickstart.sh gateway

ldap: ## logins with a real OpenLDAP and Samba's Active Directory, which root on a Debian installs
	@sh test/identity/ldapserver/get.sh || true
	$(GO) test -count 1 -v ./sts/ldap ./cmd/objsrv -run 'Slapd|ActiveDirectory|LDAP'

terraform: ## Terraform's aws provider on a bucket with every sub-resource (TERRAFORM=, TF_PLUGINS=directory of providers)
	test/terraform/run.sh

vault: ## keys of encryption in a real OpenBao or Vault (BAO=program)
	$(GO) test -count 1 -v ./internal/transit -run RealServer

kes: ## keys of encryption in a real MinIO KES (KES=program)
	$(GO) test -count 1 -v ./internal/kes -run RealServer
	$(GO) test -count 1 -v ./cmd/objsrv -run RealKES

functional: ## minio-go's functional tests
	test/functional/run.sh $(ARGS)

s3tests: ## ceph/s3-tests, from a checkout (S3TESTS=directory)
	test/s3tests/run.sh $(ARGS)

powercut: ## cut the power after acknowledged operations (root, a loop device)
	test/powercut/run.sh $(ARGS)

fulldisk: ## every kind of write on a full disk (root, a loop device)
	test/fulldisk/run.sh $(ARGS)

kill9: ## kill -9 under load, and look for what is lost or torn
	test/kill9/run.sh $(ARGS)

targets: ## targets of events against real servers, which are killed meanwhile (KINDS="kafka redis", KAFKA= OPENSEARCH= directories, JAVA= MVN=)
	test/targets/run.sh $(ARGS)

chaos: ## kill -9 of an etcd member, a SeaweedFS volume server and a gateway under load (WEED=, ETCD= binaries)
	test/chaos/run.sh $(ARGS)

deploy-example: ## three gateways, a load balancer, three etcd members and SeaweedFS on this machine, to try (WEED=, ETCD= binaries)
	test/chaos/cluster.sh

migrate: ## move a MinIO with 20 000 objects under live traffic, with kill -9 on the way (MINIO=binary ARGS="-keys 2000 -rate 5MiB")
	test/migrate/run.sh $(ARGS)

bitrot: ## flip bits on the disk, and look for wrong answers
	test/bitrot/run.sh $(ARGS)

console: ## build the console's pages into webui/dist (npm)
	@if command -v npm >/dev/null; then cd webui/app && npm ci --no-progress --loglevel=error && npm run build; else echo "left out: npm is not installed"; fi

console-check: ## test the console's source, and compare webui/dist with it (npm)
	@sh webui/app/scripts/check.sh

browser: ## the console in a real Chromium, with Keycloak, OpenLDAP and Dex (ARGS=pattern, LARGE=1 for a million keys; NODE= DEX= KEYCLOAK= ...)
	LARGE=$(LARGE) test/browser/run.sh $(ARGS)

screenshots: ## every page of the console, light and dark, at two widths, into bin/screenshots (NODE= NPM=)
	SCREENSHOTS=bin/screenshots test/browser/run.sh

fmt: ## gofmt all files
	git ls-files '*.go' | xargs gofmt -w

update-golden: ## rewrite golden files and documents made from code
	$(GO) test ./s3api/... -update
	$(GO) test ./iam/madmin -run TestDocument -update

clean: ## remove what the targets built
	rm -rf bin
