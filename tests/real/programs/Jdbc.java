import java.io.*;
import java.sql.*;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/** The JDBC driver: simple and extended, batches, fetch size, savepoints, a time limit, COPY; prints what it saw. */
public class Jdbc {
    interface Job { Object run() throws Exception; }

    static void said(String what, Job job) throws Exception {
        try {
            System.out.println(what + " " + job.run());
        } catch (PSQLException error) {
            var more = error.getServerErrorMessage();
            System.out.println(what + " refused " + error.getSQLState() + " " + (more == null ? error.getMessage() : more.getPosition() + " " + more.getMessage()));
        } catch (BatchUpdateException error) {
            System.out.println(what + " refused " + error.getSQLState() + " " + error.getUpdateCounts().length);
        }
    }

    public static void main(String[] args) throws Exception {
        try (Connection line = DriverManager.getConnection(args[0]); Statement st = line.createStatement()) {
            said("table", () -> st.execute("CREATE TABLE t (id int PRIMARY KEY, v text)"));
            said("several", () -> st.execute("ALTER TABLE t ADD COLUMN a int; INSERT INTO t (id) VALUES (1); ALTER TABLE t ADD COLUMN b int"));
            said("bad several", () -> st.execute("ALTER TABLE t ADD COLUMN x int; SELECT nope FROM t"));
            said("lock", () -> st.execute("LOCK TABLE t"));
            said("index", () -> st.execute("CREATE INDEX CONCURRENTLY tv ON t (v)"));
            said("do", () -> st.execute("DO $$ BEGIN UPDATE t SET a = 1; COMMIT; UPDATE t SET b = 1; END $$"));
            said("vacuum", () -> st.execute("VACUUM t"));
            line.setAutoCommit(false);
            try (PreparedStatement put = line.prepareStatement("INSERT INTO t (id, v) VALUES (?, ?)")) {
                for (int n = 10; n < 3010; n++) { put.setInt(1, n); put.setString(2, "v" + n); put.addBatch(); }
                System.out.println("batch " + put.executeBatch().length);
                for (int n = 3010; n < 3020; n++) { put.setInt(1, n == 3015 ? 10 : n); put.setString(2, "v"); put.addBatch(); }
                said("bad batch", () -> put.executeBatch().length);
            }
            line.rollback();
            for (int n = 0; n < 5; n++) st.addBatch("ALTER TABLE t ADD COLUMN c" + n + " int");
            System.out.println("batch of changes " + st.executeBatch().length);
            Savepoint here = line.setSavepoint("here");
            st.execute("ALTER TABLE t ADD COLUMN gone int");
            line.rollback(here);
            st.execute("INSERT INTO t (id, v) SELECT g, 'x' FROM generate_series(5000, 9000) g");
            line.commit();
            try (Statement some = line.createStatement()) {
                some.setFetchSize(100);
                ResultSet rows = some.executeQuery("SELECT id FROM t ORDER BY id");
                long total = 0;
                while (rows.next()) total += rows.getInt(1);
                System.out.println("fetched " + total);
            }
            line.commit();
            line.setAutoCommit(true);
            try (Statement slow = line.createStatement()) {
                slow.setQueryTimeout(1);
                said("time", () -> slow.execute("SELECT pg_sleep(20)"));
            }
            var copies = line.unwrap(PGConnection.class).getCopyAPI();
            StringBuilder data = new StringBuilder();
            for (int n = 20000; n < 25000; n++) data.append(n).append("\tcopied\n");
            System.out.println("in " + copies.copyIn("COPY t (id, v) FROM STDIN", new StringReader(data.toString())));
            said("bad copy", () -> copies.copyIn("COPY t (id, v) FROM STDIN", new StringReader("x\ty\n")));
            System.out.println("out " + copies.copyOut("COPY t TO STDOUT", new StringWriter()));
            said("position", () -> st.execute("SELECT 'é', nope FROM t"));
            for (SQLWarning one = st.getWarnings(); one != null; one = one.getNextWarning()) System.out.println("warning " + one);
            said("drop", () -> st.execute("DROP TABLE IF EXISTS nix"));
            for (SQLWarning one = st.getWarnings(); one != null; one = one.getNextWarning()) System.out.println("warning " + one);
        }
    }
}
