#!/bin/sh
# playwright has Firefox end as a whole when the process of one page crashes; a test of crashes needs the rest of it.
unset MOZ_CRASHREPORTER MOZ_CRASHREPORTER_NO_REPORT MOZ_CRASHREPORTER_SHUTDOWN
MOZ_CRASHREPORTER_DISABLE=1 exec "$FIREFOX_PROGRAM" "$@"
