# shellcheck shell=bash
# java.sh   what starts the servers that are written in Java; sourced by run.sh after ../lib.sh and begin.
#
#   MVN= JAVA=           programs, else found on PATH; without Maven a server is left out by name, unless it is there already:
#   KAFKA=directory      of an Apache Kafka that is unpacked, with its jars in libs
#   OPENSEARCH=directory of an OpenSearch 2 that is unpacked, with its jars in lib and modules
JAVA=${JAVA:-java} MVN=${MVN:-mvn}

# jars NAME   has Maven put the jars of NAME/pom.xml into TMP/jars/NAME, or says why not
jars() {
  command -v "$MVN" >/dev/null || { echo "mvn is not installed (on PATH, or MVN=)"; return 1; }
  cp "$TESTS/targets/$1/pom.xml" "$TMP/$1.xml" &&
    "$MVN" -q -B -f "$TMP/$1.xml" dependency:copy-dependencies -DoutputDirectory="$TMP/jars/$1" >"$TMP/mvn.log" 2>&1 ||
    { echo "Maven has no $1: $(grep -m 1 ERROR "$TMP/mvn.log")"; return 1; }
}

# Kafka in one process, broker and controller, with a listener of each kind that the target can use. Topics are made by
# the tests, or by the broker when it is asked to. The user is test, the password secret, in SCRAM and in PLAIN; nobody, of
# PLAIN, may do nothing.
# OBJSRV_TEST_KAFKA has the listeners: NAME=HOST:PORT with commas between.
start_kafka() {
  command -v "$JAVA" >/dev/null || { skip kafka "java is not installed (on PATH, or JAVA=)"; return; }
  local dir=$TMP/kafka why libs=${KAFKA:+$KAFKA/libs} name list=() named=() kind
  [ -n "$libs" ] || { why=$(jars kafka) && libs=$TMP/jars/kafka || { skip kafka "$why"; return; }; }
  mkdir "$dir" && cat "$TMP/pki/private.key" "$TMP/pki/public.crt" >"$dir/server.pem" || return
  for name in PLAIN SASL TLS MTLS SASLTLS CONTROLLER; do
    list+=("$name://127.0.0.1:$(free_port)")
    [ $name = CONTROLLER ] || named+=("${name,,}=${list[-1]#*//}")
  done
  {
    echo "process.roles=broker,controller"
    echo "node.id=1"
    echo "controller.quorum.voters=1@${list[-1]#*//}"
    echo "listeners=$(IFS=,; echo "${list[*]}")"
    echo "listener.security.protocol.map=PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,MTLS:SSL,SASLTLS:SASL_SSL,CONTROLLER:PLAINTEXT"
    echo "inter.broker.listener.name=PLAIN"
    echo "controller.listener.names=CONTROLLER"
    echo "log.dirs=$dir/data"
    echo "num.partitions=3"
    echo "offsets.topic.replication.factor=1"
    echo "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    echo "super.users=User:ANONYMOUS;User:test;User:CN=test"
    echo "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
    for name in sasl sasltls; do
      for kind in scram-sha-256 scram-sha-512; do
        echo "listener.name.$name.$kind.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;"
      done
      echo "listener.name.$name.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_test=\"secret\" user_nobody=\"secret\";"
    done
    echo "ssl.keystore.type=PEM"
    echo "ssl.keystore.location=$dir/server.pem"
    echo "ssl.truststore.type=PEM"
    echo "ssl.truststore.location=$TMP/pki/ca.crt"
    echo "listener.name.mtls.ssl.client.auth=required"
  } >"$dir/server.properties"
  cp "$TESTS/targets/log4j2.properties" "$dir/"
  local java=("$JAVA" -Xms64m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$dir/log4j2.properties" -cp "$libs/*")
  "${java[@]}" kafka.tools.StorageTool format -c "$dir/server.properties" -t "$(head -c 16 /dev/urandom | base64 | tr +/ -_ | cut -c1-22)" \
    --add-scram 'SCRAM-SHA-256=[name=test,password=secret]' --add-scram 'SCRAM-SHA-512=[name=test,password=secret]' >"$TMP/kafka-format.log" 2>&1 ||
    { fail "format of kafka" "$(tail -n 3 "$TMP/kafka-format.log" | tr '\n' ' ')"; return; }
  spawn kafka "${java[@]}" kafka.Kafka "$dir/server.properties"
  wait_until 120 listens "${named[0]##*:}" || return
  OBJSRV_TEST_KAFKA=$(IFS=,; echo "${named[*]}"); export OBJSRV_TEST_KAFKA
}

# opensearch_home   lays what Maven has brought out in TMP/opensearch as an installation has it: the jars of its transport
# are a module, and security is a plugin.
opensearch_home() {
  local home=$TMP/opensearch module=$TMP/opensearch/modules/transport-netty4 plugin=$TMP/opensearch/plugins/opensearch-security version
  mkdir -p "$home/bin" "$home/lib" "$plugin" "$module" && cp "$TMP"/jars/opensearch/*.jar "$home/lib/" &&
    mv "$home"/lib/netty-*.jar "$home"/lib/transport-netty4-client-*.jar "$module/" &&
    (cd "$plugin" && "${JAVA%java}jar" xf "$TMP"/jars/opensearch/opensearch-security-*.zip 2>/dev/null || unzip -q "$TMP"/jars/opensearch/opensearch-security-*.zip -d "$plugin") || return
  version=$(sed -n 's:.*<opensearch>\(.*\)</opensearch>.*:\1:p' "$TESTS/targets/opensearch/pom.xml")
  printf '%s\n' description=transport "version=$version" name=transport-netty4 classname=org.opensearch.transport.Netty4Plugin java.version=11 \
    "opensearch.version=$version" has.native.controller=false custom.foldername= extended.plugins= >"$module/plugin-descriptor.properties"
  echo 'grant { permission java.security.AllPermission; };' >"$module/plugin-security.policy"
}

# OpenSearch in one process. With its security plugin over TLS, with the users of opensearch/security, whose password is
# secret, and client certificates; an installation without the plugin is asked over plain HTTP.
start_opensearch() {
  command -v "$JAVA" >/dev/null || { skip opensearch "java is not installed (on PATH, or JAVA=)"; return; }
  local why dir=$TMP/search home=${OPENSEARCH:-$TMP/opensearch} conf=$TMP/search/config port url layer from; port=$(free_port) url=http://127.0.0.1:$port
  [ -n "${OPENSEARCH:-}" ] || { why=$(jars opensearch) && opensearch_home || { skip opensearch "$why"; return; }; }
  mkdir -p "$dir/data" "$dir/logs" "$dir/tmp" "$conf" && cp "$TMP"/pki/{public.crt,private.key,ca.crt} "$TESTS/targets/log4j2.properties" "$conf/" || return
  {
    printf '%s\n' discovery.type:\ single-node network.host:\ 127.0.0.1 "http.port: $port" "transport.port: $(free_port)" "path.data: $dir/data" "path.logs: $dir/logs" \
      cluster.routing.allocation.disk.threshold_enabled:\ false
    if [ -e "$home/plugins/opensearch-security" ]; then
      for layer in http transport; do
        printf "plugins.security.ssl.$layer.%s\n" pemcert_filepath:\ public.crt pemkey_filepath:\ private.key pemtrustedcas_filepath:\ ca.crt
      done
      printf 'plugins.security.%s\n' ssl.http.enabled:\ true ssl.http.clientauth_mode:\ OPTIONAL ssl.transport.enforce_hostname_verification:\ false \
        allow_default_init_securityindex:\ true 'nodes_dn: ["CN=localhost"]' audit.type:\ noop
    fi
  } >"$conf/opensearch.yml"
  if [ -e "$home/plugins/opensearch-security" ]; then
    from=$home/config/opensearch-security; [ -e "$from" ] || from=$home/plugins/opensearch-security/config
    cp -r "$from" "$conf/opensearch-security" && cp "$TESTS"/targets/opensearch/security/*.yml "$conf/opensearch-security/" || return
    url=https://127.0.0.1:$port
  fi
  [ "$(id -u)" != 0 ] || chown -R nobody "$dir"
  spawn opensearch "${AS_NOBODY[@]}" "$JAVA" -Xms256m -Xmx512m -XX:+UseSerialGC -Djava.security.manager=allow "-Djava.io.tmpdir=$dir/tmp" "-Dopensearch.path.home=$home" \
    "-Dopensearch.path.conf=$conf" -cp "$home/lib/*" org.opensearch.bootstrap.OpenSearch
  wait_until 180 curl -fsS --cacert "$conf/ca.crt" -u test:secret "$url/_cluster/health" && export OBJSRV_TEST_ELASTICSEARCH=$url
}
