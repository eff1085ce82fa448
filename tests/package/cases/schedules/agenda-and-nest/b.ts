import { Cron } from "@nestjs/schedule";
class T {
  @Cron("0 0 5 * * *")
  async handle() {}
}
