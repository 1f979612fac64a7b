using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.LocalHost.Tests.Triggers;

public class FunctionCatalogTests
{
    [Fact]
    public void Functions_are_found_with_their_trigger_and_the_parameter_that_carries_it()
    {
        var catalog = FunctionCatalog.Of(typeof(Sound));

        Assert.Equal(
            ["activity", "answered", "client", "given", "message", "nothing", "orchestration", "value"], catalog.Functions.Select(f => f.Name).Order());
        var (function, trigger) = Assert.Single(catalog.TriggeredBy<QueueTriggerAttribute>());
        Assert.Equal(("jobs", "message", "Sound.Message"), (trigger.QueueName, function.TriggerParameter.Name, function.ToString()));
    }

    [Fact]
    public void Functions_of_an_assembly_are_found() => Assert.Empty(FunctionCatalog.Of(typeof(FunctionCatalog).Assembly).Functions);

    [Theory]
    [InlineData("value", 3)]
    [InlineData("answered", 3)]
    [InlineData("activity", 3)]
    [InlineData("nothing", null)]
    public async Task The_answer_of_a_function_comes_out_of_its_task(string name, int? answer)
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        Assert.Equal(answer, await Find(name).Invoke(services, ["abc"]));
    }

    [Fact]
    public async Task A_function_that_throws_at_once_fails_its_task()
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        var task = Find("message").Invoke(services, ["abc"]);
        Assert.Equal("no abc", (await Assert.ThrowsAsync<InvalidOperationException>(() => task)).Message);
    }

    [Fact]
    public async Task Arguments_are_passed_in_their_order()
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        Assert.Equal("context 7", await Find("orchestration").Invoke(services, ["context", 7]));
    }

    [Fact]
    public async Task A_run_is_given_the_durable_client_and_the_cancellation_token()
    {
        using var stop = new CancellationTokenSource();
        await using var services = new ServiceCollection().AddSingleton(new Client("hub")).BuildServiceProvider();
        Assert.Equal(("abc", "hub", stop.Token), await Find("client").Run(services, "abc", stop.Token));
    }

    [Fact]
    public async Task An_instance_is_made_for_each_invocation_from_its_services()
    {
        await using var services = new ServiceCollection().AddScoped<object>().BuildServiceProvider();
        var function = FunctionCatalog.Of(typeof(WithDependency)).Functions[0];
        await using var scope = services.CreateAsyncScope();
        var first = Assert.IsType<WithDependency>(await function.Run(scope.ServiceProvider, null, default));
        var second = Assert.IsType<WithDependency>(await function.Run(scope.ServiceProvider, null, default));
        Assert.NotSame(first, second);
        Assert.Same(scope.ServiceProvider.GetRequiredService<object>(), first.Dependency);
    }

    [Theory]
    [InlineData(typeof(SameName), "SameName.Second has the name \"ONE\", as SameName.First has")]
    [InlineData(typeof(NoTrigger), "NoTrigger.Run has no trigger")]
    [InlineData(typeof(TwoTriggers), "TwoTriggers.Run has more than one trigger")]
    [InlineData(typeof(OddParameter), "OddParameter.Run has a parameter that can't be bound: Int32 count")]
    [InlineData(typeof(OddCarrier), "OddCarrier.Run has a parameter that can't be bound: Byte[] message")]
    [InlineData(typeof(NotInRoute), "NotInRoute.Run has a parameter that can't be bound: String id")]
    [InlineData(typeof(OddAnswer), "OddAnswer.Run does not answer with an IResult, a Task<IResult> or a ValueTask<IResult>")]
    [InlineData(typeof(OddRoute), "OddRoute.Run has an invalid route: v1/{id")]
    [InlineData(typeof(ReservedRoute), "ReservedRoute.Run has a route that the Functions host keeps for itself: /Admin/keys")]
    [InlineData(typeof(OddName), "OddName.Run has a name that the Functions host refuses: 1st")]
    [InlineData(typeof(Hidden), "Hidden.Run is not public")]
    [InlineData(typeof(Unmade), "Unmade.Run is in a class without a public constructor")]
    [InlineData(typeof(Generic), "Generic.Run is generic")]
    public void A_function_that_cannot_run_is_refused_by_name(Type type, string problem) =>
        Assert.Equal([problem], Assert.Throws<InvalidFunctionsException>(() => FunctionCatalog.Of(type)).Errors);

    [Fact]
    public void Every_function_that_cannot_run_is_reported() =>
        Assert.Equal(2, Assert.Throws<InvalidFunctionsException>(() => FunctionCatalog.Of(typeof(NoTrigger), typeof(TwoTriggers))).Errors.Count);

    private static Function Find(string name) => FunctionCatalog.Of(typeof(Sound)).Functions.Single(f => f.Name == name);

    public sealed record Client(string Hub);

    public static class Sound
    {
        [Function("nothing")]
        public static Task Nothing([ActivityTrigger] string text) => Task.Delay(TimeSpan.FromMilliseconds(text.Length), TimeProvider.System);

        [Function("value")]
        public static int Value([ActivityTrigger] string text) => text.Length;

        [Function("answered")]
        public static ValueTask<int> Answered([ActivityTrigger] string text) => new(text.Length);

        [Function("activity")]
        public static async Task<int> Activity([ActivityTrigger] string text)
        {
            await Task.Yield();
            return text.Length;
        }

        [Function("message")]
        public static Task Message([QueueTrigger("jobs")] string message) => throw new InvalidOperationException("no " + message);

        [Function("orchestration")]
        public static string Orchestration([OrchestrationTrigger] object context, int input) => $"{context} {input}";

        [Function("client")]
        public static (string Text, string Hub,
            CancellationToken Token) WithClient([ActivityTrigger] string text, [DurableClient] Client client, CancellationToken ct) => (text, client.Hub, ct);

        [Function("given")]
        public static void Given([TimerTrigger("0 0 3 * * *")] TimerInfo timer) => _ = timer;

        public static int Unmarked() => 0;
    }

    public sealed class WithDependency(object dependency)
    {
        public object Dependency { get; } = dependency;

        [Function("self")]
        public WithDependency Run([ActivityTrigger] string? input) => input is null ? this : null!;
    }

    public static class SameName
    {
        [Function("one")]
        public static void First([ActivityTrigger] string input) => _ = input;

        [Function("ONE")]
        public static void Second([ActivityTrigger] string input) => _ = input;
    }

    public static class NoTrigger
    {
        [Function("one")]
        public static void Run(string input) => _ = input;
    }

    public static class TwoTriggers
    {
        [Function("two")]
        public static void Run([ActivityTrigger] string input, [QueueTrigger("jobs")] string message) => _ = input + message;
    }

    public static class OddParameter
    {
        [Function("one")]
        public static void Run([QueueTrigger("jobs")] string message, int count) => _ = message + count;
    }

    public static class OddCarrier
    {
        [Function("one")]
        public static void Run([QueueTrigger("jobs")] byte[] message) => _ = message;
    }

    public static class NotInRoute
    {
        [Function("one")]
        public static IResult Run([HttpTrigger(Route = "v1/contacts/{key}")] HttpRequest request, string id) => Results.Text(request.Path + id);
    }

    public static class OddAnswer
    {
        [Function("one")]
        public static string Run([HttpTrigger] HttpRequest request) => request.Path;
    }

    public static class OddRoute
    {
        [Function("one")]
        public static IResult Run([HttpTrigger(Route = "v1/{id")] HttpRequest request) => Results.Text(request.Path);
    }

    public static class ReservedRoute
    {
        [Function("one")]
        public static IResult Run([HttpTrigger(Route = "/Admin/keys")] HttpRequest request) => Results.Text(request.Path);
    }

    public static class OddName
    {
        [Function("1st")]
        public static void Run([ActivityTrigger] string input) => _ = input;
    }

    public static class Hidden
    {
        [Function("one")]
        internal static void Run([ActivityTrigger] string input) => _ = input;
    }

    public sealed class Unmade
    {
        private Unmade()
        {
        }

        [Function("one")]
        public string Run([ActivityTrigger] string input) => input + GetHashCode();
    }

    public static class Generic
    {
        [Function("one")]
        public static void Run<T>([ActivityTrigger] T input) => _ = input;
    }
}
