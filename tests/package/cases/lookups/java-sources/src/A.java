class A {
 @Value("${relay.pool:16}") int pool;
 String h = System.getenv("RELAY_HOST");
 String p = props.getProperty("relay.port", "80");
 String j = System.getProperty("java.io.tmpdir");
}
