public class V7__Total extends BaseJavaMigration { }
