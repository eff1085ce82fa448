public class Order { }
