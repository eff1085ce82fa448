import jakarta.ejb.Schedule;
public class T {
  @Schedule(hour="*/6", minute="10", dayOfWeek="Sat", persistent=false, info="purge")
  public void purge() {}
}
