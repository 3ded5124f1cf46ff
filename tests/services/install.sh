#!/bin/sh
# Bring the servers that service tests start: mosquitto, influxd, nginx. Nothing is started here.
#
# Where they cannot be installed, one loud line names what will not be tested and the rest goes on;
# with CI=true a missing server is a failure.
set -u
PATH="$PATH:/usr/sbin:/usr/local/sbin"

missing() {
    absent=""
    for server in mosquitto influxd nginx; do
        command -v "$server" >/dev/null 2>&1 || absent="$absent $server"
    done
    echo "$absent"
}

absent=$(missing)
[ -z "$absent" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing from Debian:$absent" >&2
    export DEBIAN_FRONTEND=noninteractive
    # Debian's own way to say that packages may not start their services while being installed.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    fi
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends \
        mosquitto influxdb nginx-light; } >&2 || echo "apt-get failed" >&2
    absent=$(missing)
    [ -z "$absent" ] && exit 0
fi

echo "!!! NOT INSTALLED:$absent. The tests marked 'service' that need them WILL NOT RUN." >&2
[ "${CI:-}" = true ] && exit 1
exit 0
