package main
func main() {
 h := os.Getenv("RELAY_HOST")
 v, ok := os.LookupEnv("RELAY_LEVEL")
 viper.SetDefault("http.port", 8080)
 // os.Getenv("GONE")
}
