#!/usr/bin/env bash
# run.sh   runs the tests of targets of events against the real servers that are installed, each started here on a port
# of its own and stopped at the end: Redis, PostgreSQL, MariaDB, NATS with JetStream, RabbitMQ, Mosquitto, Apache Kafka and
# OpenSearch; then what becomes of events of real requests while servers are killed. What is not installed is left out by
# name. KINDS="redis kafka" starts only these. With SERVE=1 the servers are started and kept until the script is ended.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$TESTS/targets/java.sh"
begin
chmod 755 "$TMP"
export OBJSRV_TEST_SERVERS=$TMP OBJSRV_TEST_PKI=$TMP/pki
export PATH=$PATH:/usr/sbin:/usr/lib/postgresql/15/bin:/usr/local/bin

# What makes a command run as another user, when this is root: PostgreSQL, MariaDB and OpenSearch don't run as root
AS_NOBODY=(env)
[ "$(id -u)" != 0 ] || AS_NOBODY=(setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups)

# spawn NAME COMMAND...   starts a server, which is stopped at the end. A test that kills it starts it again from NAME.run
# and says so in NAME.pid.
spawn() {
  local name=$1; shift
  printf '%s\0' "$@" >"$TMP/$name.run"
  "$@" >"$TMP/$name.log" 2>&1 </dev/null & disown "$!"; echo "$!" >"$TMP/$name.pid"
}
stop_servers() { local f; for f in "$TMP"/*.pid; do [ ! -e "$f" ] || stop_pid "$(cat "$f")"; done; }

# client_certificate DIR   writes client.crt and client.key of the user test, vouched for by the CA of DIR
client_certificate() {
  (cd "$1" && openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test -keyout client.key -out c.csr &&
    printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n' >c.ext &&
    openssl x509 -req -in c.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile c.ext -out client.crt && rm -f c.csr c.ext) 2>>"$1.log" ||
    { cat "$1.log"; return 1; }
}

# keys DIR   puts the server's key and certificate, and that of the CA, into DIR, which becomes nobody's if this is root
keys() { cp "$TMP"/pki/{public.crt,private.key,ca.crt} "$1/" && { [ "$(id -u)" != 0 ] || chown -R nobody "$1"; }; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_redis() {
  command -v redis-server >/dev/null || { skip redis "redis-server is not installed"; return; }
  local port tls p=$TMP/pki; port=$(free_port) tls=$(free_port)
  spawn redis redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly yes --appendfsync always --dir "$TMP" --requirepass secret --tls-port "$tls" --tls-auth-clients no \
    --tls-cert-file "$p/public.crt" --tls-key-file "$p/private.key" --tls-ca-cert-file "$p/ca.crt"
  wait_until 20 listens "$port" && export OBJSRV_TEST_REDIS=127.0.0.1:$port OBJSRV_TEST_REDIS_TLS=127.0.0.1:$tls
}

start_postgres() {
  command -v postgres >/dev/null && command -v initdb >/dev/null || { skip postgresql "postgres is not installed"; return; }
  local port; port=$(free_port)
  mkdir "$TMP/pg" && { [ "$(id -u)" != 0 ] || chown nobody "$TMP/pg"; }
  printf 'secret\n' >"$TMP/pgpass"; chmod 644 "$TMP/pgpass"
  "${AS_NOBODY[@]}" initdb -D "$TMP/pg" -U test --pwfile "$TMP/pgpass" -A scram-sha-256 >"$TMP/initdb.log" 2>&1 || { fail "initdb" "$(tail -n 3 "$TMP/initdb.log")"; return; }
  mkdir "$TMP/pgkeys" && keys "$TMP/pgkeys" || return
  sed -i '1i hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-full' "$TMP/pg/pg_hba.conf"
  spawn postgres "${AS_NOBODY[@]}" postgres -D "$TMP/pg" -c listen_addresses=127.0.0.1 -p "$port" -c "unix_socket_directories=$TMP/pg" -c fsync=off \
    -c ssl=on -c "ssl_cert_file=$TMP/pgkeys/public.crt" -c "ssl_key_file=$TMP/pgkeys/private.key" -c "ssl_ca_file=$TMP/pgkeys/ca.crt"
  wait_until 30 listens "$port" && export OBJSRV_TEST_POSTGRES="host=127.0.0.1 port=$port user=test password=secret dbname=postgres sslmode=disable" \
    OBJSRV_TEST_POSTGRES_TLS="host=127.0.0.1 port=$port user=test password=secret dbname=postgres"
}

start_mysql() {
  command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null || { skip mysql "mariadb-server is not installed"; return; }
  local port; port=$(free_port)
  mkdir "$TMP/my" "$TMP/mykeys" && keys "$TMP/mykeys" && { [ "$(id -u)" != 0 ] || chown nobody "$TMP/my"; }
  "${AS_NOBODY[@]}" mariadb-install-db --no-defaults --datadir="$TMP/my" --tmpdir="$TMP/my" --auth-root-authentication-method=normal --skip-test-db >"$TMP/mysql-install.log" 2>&1
  printf '%s\n' "CREATE DATABASE IF NOT EXISTS test;" "CREATE USER test@'127.0.0.1' IDENTIFIED BY 'secret';" "GRANT ALL ON test.* TO test@'127.0.0.1';" >"$TMP/my.sql"
  chmod 644 "$TMP/my.sql"
  spawn mysql "${AS_NOBODY[@]}" mariadbd --no-defaults --datadir="$TMP/my" --tmpdir="$TMP/my" --port="$port" --bind-address=127.0.0.1 --socket="$TMP/my/s" --pid-file="$TMP/my/pid" --init-file="$TMP/my.sql" --skip-name-resolve \
    --ssl-cert="$TMP/mykeys/public.crt" --ssl-key="$TMP/mykeys/private.key" --ssl-ca="$TMP/mykeys/ca.crt"
  wait_until 60 listens "$port" && export OBJSRV_TEST_MYSQL="test:secret@tcp(127.0.0.1:$port)/test"
}

start_nats() {
  command -v nats-server >/dev/null || { skip nats "nats-server is not installed"; return; }
  local port; port=$(free_port)
  spawn nats nats-server -a 127.0.0.1 -p "$port" -js -sd "$TMP/nats" --user test --pass secret
  wait_until 20 listens "$port" && export OBJSRV_TEST_NATS=127.0.0.1:$port || return
  port=$(free_port)
  # A seed of tests and its public key; the server has no program that makes one.
  echo SUAFEB6KYPCGTSX5IQ5HX26QLY76DUEDZEX6TSYIUVBMZ4IASHKU7H6NKQ >"$TMP/pki/user.nk"
  echo 'authorization { users = [ { user: test, password: secret }, { nkey: UDBYA3FTDZXUZST4J27AODQIYXZERUMQ5LO3AUGPJ6KL53BF2XH2KUPC } ] }' >"$TMP/nats.conf"
  spawn nats-tls nats-server -c "$TMP/nats.conf" -a 127.0.0.1 -p "$port" --tlsverify --tlscert "$TMP/pki/public.crt" --tlskey "$TMP/pki/private.key" --tlscacert "$TMP/pki/ca.crt"
  wait_until 20 listens "$port" && export OBJSRV_TEST_NATS_TLS=127.0.0.1:$port
}

start_amqp() {
  command -v rabbitmq-server >/dev/null || { skip amqp "rabbitmq-server is not installed"; return; }
  local port tls dist home; port=$(free_port) tls=$(free_port) dist=$(free_port) home=$TMP/rabbit
  mkdir "$home" && keys "$home" || return
  export ERL_EPMD_PORT; ERL_EPMD_PORT=$(free_port)
  spawn epmd epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1
  printf '%s\n' "listeners.ssl.default = 127.0.0.1:$tls" "ssl_options.certfile = $home/public.crt" "ssl_options.keyfile = $home/private.key" \
    "ssl_options.cacertfile = $home/ca.crt" 'ssl_options.verify = verify_peer' 'ssl_options.fail_if_no_peer_cert = true' >"$home/rabbitmq.conf"
  spawn rabbitmq env HOME="$home" RABBITMQ_NODENAME="objsrv$port@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$port" RABBITMQ_DIST_PORT="$dist" \
    RABBITMQ_MNESIA_BASE="$home" RABBITMQ_LOG_BASE="$home" RABBITMQ_ENABLED_PLUGINS_FILE="$home/plugins" RABBITMQ_PID_FILE="$home/pid" \
    RABBITMQ_CONFIG_FILE="$home/rabbitmq" /usr/lib/rabbitmq/bin/rabbitmq-server
  wait_until 90 listens "$port" && wait_until 30 listens "$tls" && export OBJSRV_TEST_AMQP="amqp://guest:guest@127.0.0.1:$port/" OBJSRV_TEST_AMQP_TLS="amqps://guest:guest@127.0.0.1:$tls/"
}

start_mqtt() {
  command -v mosquitto >/dev/null || { skip mqtt "mosquitto is not installed"; return; }
  local port tls p=$TMP/pki; port=$(free_port) tls=$(free_port)
  printf '%s\n' "listener $port 127.0.0.1" 'allow_anonymous true' 'user root' 'persistence true' "persistence_location $TMP/" 'max_queued_messages 0' "listener $tls 127.0.0.1" "cafile $p/ca.crt" "certfile $p/public.crt" "keyfile $p/private.key" \
    'require_certificate true' >"$TMP/mosquitto.conf"
  spawn mqtt mosquitto -c "$TMP/mosquitto.conf"
  wait_until 20 listens "$port" && export OBJSRV_TEST_MQTT=tcp://127.0.0.1:$port OBJSRV_TEST_MQTT_TLS=ssl://127.0.0.1:$tls
}

certificate "$TMP/pki" && client_certificate "$TMP/pki" || exit 1
for kind in ${KINDS:-redis postgres mysql nats amqp mqtt kafka opensearch}; do
  "start_$kind" || fail "start of $kind" "$(tail -qn 3 "$TMP/$kind.log" 2>/dev/null | tr '\n' ' ')"
done
if [ -n "${SERVE:-}" ]; then
  env | grep '^OBJSRV_TEST_' | tee "${SERVE_FILE:-/dev/stderr}"
  while sleep 1; do :; done
fi
(cd "$ROOT" && go test -count=1 -parallel 16 ./internal/notify/... "$@") || fail "the tests of targets" "see above"
# objsrv refuses variables that it does not know
for name in "${!OBJSRV_TEST_@}"; do export "TARGETS_${name#OBJSRV_TEST_}=${!name}"; unset "$name"; done
server_binary; TARGETS_OBJSRV=$SERVER_BIN TARGETS_ADDRESSES=
for _ in 1 2 3 4 5 6 7 8; do TARGETS_ADDRESSES+=" 127.0.0.1:$(free_port)"; done
export TARGETS_OBJSRV TARGETS_ADDRESSES
(cd "$ROOT" && go test -count=1 -timeout 30m -parallel 8 -v ./test/targets) || fail "the tests of outages" "see above"
! grep -q ^FAIL "$RESULTS"
