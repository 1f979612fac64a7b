using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>Failures as orchestrators and clients see them, the same on each engine.</summary>
public sealed class FailureTests
{
    private const string Bad = "NodeStash.LocalHost.Tests.Durable.Official.FailureTests+BadException";
    private const string Failed = "Microsoft.DurableTask.TaskFailedException";

    [Theory, OnEachEngine]
    public async Task A_failed_activity_is_thrown_with_its_name_and_all_its_causes(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity<int, int>("Break", n => throw new InvalidDataException("bad " + n, new TimeoutException("slow", new BadException("inmost"))));
        engine.Orchestrator("Catch", async context =>
        {
            await context.CreateTimer(TimeSpan.Zero, CancellationToken.None);
            var e = await Assert.ThrowsAsync<TaskFailedException>(() => context.CallActivityAsync<int>("Break", 7));
            var details = e.FailureDetails;
            return new[]
            {
                e.Message, $"{e.TaskName} {e.TaskId}", Outcome.Describe(details), $"{details.StackTrace is not null}",
                $"{details.IsCausedBy<InvalidDataException>()} {details.IsCausedBy<SystemException>()} {details.IsCausedBy<TimeoutException>()}",
                $"{details.InnerFailure!.InnerFailure!.IsCausedBy<BadException>()}",
            };
        });
        await engine.Start();

        Assert.Equal(
            [
                "Task 'Break' (#1) failed with an unhandled exception: bad 7", "Break 1",
                "System.IO.InvalidDataException: bad 7 < System.TimeoutException: slow < " + Bad + ": inmost", "True",
                "True True False", "True",
            ],
            (await engine.Run("Catch")).Read<string[]>()!);
    }

    [Theory, OnEachEngine]
    public async Task An_exception_fails_its_orchestration_with_all_its_causes(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<int, int>("Fail", (context, n) => throw new BadException("bad " + n, new TimeoutException("slow")));
        await engine.Start();

        Assert.Equal(
            $"Failed {Bad}: bad 5 < System.TimeoutException: slow",
            (await engine.Run("Fail", 5)).Text);
    }

    [Theory, OnEachEngine]
    public async Task A_failed_activity_that_nobody_catches_fails_its_orchestration(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity<int, int>("Break", n => throw new InvalidDataException("bad", new TimeoutException("slow")));
        engine.Orchestrator("Fail", context => context.CallActivityAsync<int>("Break", 1));
        await engine.Start();

        Assert.Equal(
            $"Failed {Failed}: Task 'Break' (#0) failed with an unhandled exception: bad"
            + " < System.IO.InvalidDataException: bad < System.TimeoutException: slow",
            (await engine.Run("Fail")).Text);
    }

    [Theory, OnEachEngine]
    public async Task A_parent_sees_why_a_sub_orchestration_failed(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity<int, int>("Break", n => throw new InvalidDataException("bad"));
        engine.Orchestrator<string, int>("Child", async (context, how) =>
            how == "throws" ? throw new BadException("bad child", new TimeoutException("slow")) : await context.CallActivityAsync<int>("Break", 1));
        engine.Orchestrator<string, string>("Parent", async (context, how) =>
        {
            var e = await Assert.ThrowsAsync<TaskFailedException>(() => context.CallSubOrchestratorAsync<int>("Child", how));
            return $"{e.TaskName} {e.TaskId} {e.Message} | {Outcome.Describe(e.FailureDetails)}";
        });
        engine.Orchestrator<string, int>("Careless", (context, how) => context.CallSubOrchestratorAsync<int>("Child", how));
        await engine.Start();

        const string Child = "Task 'Child' (#0) failed with an unhandled exception: ";
        const string Break = "Task 'Break' (#0) failed with an unhandled exception: bad";
        const string Thrown = Bad + ": bad child < System.TimeoutException: slow";
        const string Called = $"{Failed}: {Break} < System.IO.InvalidDataException: bad";
        Assert.Equal($"Child 0 {Child}bad child | {Thrown}", (await engine.Run("Parent", "throws")).Read<string>());
        Assert.Equal($"Child 0 {Child}{Break} | {Called}", (await engine.Run("Parent", "calls")).Read<string>());
        Assert.Equal($"Failed {Failed}: {Child}bad child < {Thrown}", (await engine.Run("Careless", "throws")).Text);
        Assert.Equal($"Failed {Failed}: {Child}{Break} < {Called}", (await engine.Run("Careless", "calls")).Text);
    }

    [Theory, OnEachEngine]
    public async Task Of_several_failed_calls_awaited_together_the_first_is_thrown(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity<int, int>("Break", n => throw new InvalidDataException("bad " + n));
        engine.Orchestrator("All", context => Task.WhenAll(context.CallActivityAsync<int>("Break", 1), context.CallActivityAsync<int>("Break", 2)));
        await engine.Start();

        Assert.Equal("bad 1", (await engine.Run("All")).Failure!.InnerFailure!.ErrorMessage);
    }

    [Theory, OnEachEngine]
    public async Task What_cannot_be_written_or_read_fails_there(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Activity("Text", (string text) => text);
        engine.Activity<string, object>("Pointer", _ => typeof(int));
        engine.Orchestrator<object>("Output", _ => Task.FromResult<object>(typeof(int)));
        engine.Orchestrator<string, string>("Call", async (context, what) =>
        {
            var call = what switch
            {
                "input" => (Func<Task>)(() => context.CallActivityAsync<string>("Text", typeof(int))),
                "wrong input" => () => context.CallActivityAsync<string>("Text", 5),
                "wrong answer" => () => context.CallActivityAsync<int>("Text", "five"),
                _ => () => context.CallActivityAsync("Pointer", "x"),
            };
            var e = await Assert.ThrowsAnyAsync<Exception>(call);
            return $"{e.GetType()} {(e as TaskFailedException)?.FailureDetails.ErrorType}";
        });
        await engine.Start();

        Assert.Equal("System.NotSupportedException", (await engine.Run("Output")).Failure!.ErrorType);
        Assert.Equal("System.NotSupportedException ", (await engine.Run("Call", "input")).Read<string>());
        Assert.Equal(Failed + " System.Text.Json.JsonException", (await engine.Run("Call", "wrong input")).Read<string>());
        Assert.Equal("System.Text.Json.JsonException ", (await engine.Run("Call", "wrong answer")).Read<string>());
        Assert.Equal(Failed + " System.NotSupportedException", (await engine.Run("Call", "output")).Read<string>());
    }

    [Theory, OnEachEngine]
    public async Task Options_passed_as_the_input_and_entities_are_refused(EngineKind kind)
    {
        await using var engine = kind.Open();
        engine.Orchestrator<string, int>("Mistake", (context, what) =>
            what == "options" ? context.CallActivityAsync<int>("Any", (object)new TaskOptions()) : Task.FromResult(context.Entities is null ? 1 : 2));
        await engine.Start();

        Assert.Equal("System.ArgumentException", (await engine.Run("Mistake", "options")).Failure!.ErrorType);
        Assert.Equal("System.NotSupportedException", (await engine.Run("Mistake", "entities")).Failure!.ErrorType);
    }

    public sealed class BadException(string message, Exception? cause = null) : Exception(message, cause);
}
