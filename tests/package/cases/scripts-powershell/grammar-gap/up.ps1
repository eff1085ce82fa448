Restart-Service One
if ($x) { }}} ))
Restart-Service Two
