<?php function f() { return "ALTER TABLE x ADD y"; }
