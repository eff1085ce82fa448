import org.flywaydb.core.Flyway;

/** Flyway's own engine over a folder of files: its advisory lock, one transaction a file, and one file without. */
public class Migrate {
    public static void main(String[] args) {
        var flyway = Flyway.configure().dataSource(args[0], args[1], "").locations("filesystem:" + args[2])
            .configuration(java.util.Map.of("flyway.postgresql.transactional.lock", "false")).load();
        System.out.println("executed " + flyway.migrate().migrationsExecuted);
        System.out.println("again " + flyway.migrate().migrationsExecuted);
    }
}
