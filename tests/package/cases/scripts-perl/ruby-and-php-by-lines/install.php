<?php
$x = file_get_contents('https://cdn.vendor.example/a.json');
exec('systemctl stop queue');
