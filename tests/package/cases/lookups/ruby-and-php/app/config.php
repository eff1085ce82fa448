<?php $h = getenv("RELAY_DB"); $d = env("RELAY_CACHE", "file");
