#!/bin/bash
. "$(dirname "$0")/../lib/common.sh"
curl "$BASE/a"
