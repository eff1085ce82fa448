const a = process.env.RELAY_PORT || 8080;
const b = process.env["RELAY_HOST"];
process.env.RELAY_SET = "x";
const c = config.get("mail:from");
const d = process.env.RELAY_MODE ?? "fast";
