const cp = require("child_process");
cp[process.argv[2]]("ls");
eval(process.env.RELAY_SETUP);
