using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>Retries, the same on each engine.</summary>
public sealed class RetryTests
{
    private static readonly TimeSpan Shortly = TimeSpan.FromMilliseconds(1);

    [Theory, OnEachEngine]
    public async Task A_call_is_tried_as_often_as_its_policy_allows(EngineKind kind)
    {
        Assert.Equal((3, "attempt 3"), await Attempts(kind, new RetryPolicy(3, Shortly)));
        Assert.Equal((1, "attempt 1"), await Attempts(kind, new RetryPolicy(1, TimeSpan.FromHours(1))));
    }

    [Theory, OnEachEngine]
    public async Task A_call_that_succeeds_is_not_tried_again(EngineKind kind) =>
        Assert.Equal((4, "success"), await Attempts(kind, new RetryPolicy(9, Shortly), succeedsAt: 4));

    [Theory, OnEachEngine]
    public async Task A_call_is_not_tried_again_after_its_retry_timeout(EngineKind kind)
    {
        var longerThanAll = TimeSpan.FromMilliseconds(10);
        Assert.Equal((1, "attempt 1"), await Attempts(kind, new RetryPolicy(9, Shortly, retryTimeout: Shortly), eachTakes: longerThanAll));
        Assert.Equal((3, "attempt 3"), await Attempts(kind, new RetryPolicy(3, Shortly, retryTimeout: TimeSpan.FromHours(1))));
    }

    [Theory, OnEachEngine]
    public async Task A_policy_tries_again_only_the_failures_it_handles(EngineKind kind)
    {
        List<string> asked = [];
        var policy = new RetryPolicy(9, Shortly)
        {
            HandleFailure = failure =>
            {
                lock (asked) asked.Add(Outcome.Describe(failure));
                return failure.IsCausedBy<TimeoutException>() && failure.ErrorMessage != "attempt 3";
            },
        };

        Assert.Equal((3, "attempt 3"), await Attempts(kind, policy));
        Assert.Equal(
            ["System.TimeoutException: attempt 1 < System.IO.IOException: why", "System.TimeoutException: attempt 2 < System.IO.IOException: why",
                "System.TimeoutException: attempt 3 < System.IO.IOException: why"],
            asked.Distinct());
    }

    [Theory, OnEachEngine]
    public async Task No_wait_is_longer_than_the_maximum_of_the_policy(EngineKind kind) =>
        Assert.Equal((4, "attempt 4"), await Attempts(kind, new RetryPolicy(4, Shortly, 1e9, maxRetryInterval: TimeSpan.FromMilliseconds(20))));

    [Theory, OnEachEngine]
    public async Task A_handler_is_told_each_failure_and_decides(EngineKind kind)
    {
        await using var engine = kind.Open();
        var calls = 0;
        engine.Activity<int, int>("Break", _ => throw new TimeoutException("attempt " + Interlocked.Increment(ref calls), new IOException("why")));
        engine.Orchestrator("Persist", async context =>
        {
            List<string> told = [];
            AsyncRetryHandler handler = async retry =>
            {
                told.Add($"{retry.LastAttemptNumber} {Outcome.Describe(retry.LastFailure)} {retry.TotalRetryTime >= TimeSpan.Zero}");
                await retry.OrchestrationContext.CreateTimer(Shortly, CancellationToken.None);
                return retry.LastAttemptNumber < 2;
            };
            var e = await Assert.ThrowsAsync<TaskFailedException>(() => context.CallActivityAsync<int>("Break", 1, TaskOptions.FromRetryHandler(handler)));
            return (string[])[.. told, e.FailureDetails.ErrorMessage];
        });
        await engine.Start();

        Assert.Equal(
            [
                "1 System.TimeoutException: attempt 1 < System.IO.IOException: why True",
                "2 System.TimeoutException: attempt 2 < System.IO.IOException: why True",
                "attempt 2",
            ],
            (await engine.Run("Persist")).Read<string[]>()!);
    }

    [Theory, OnEachEngine]
    public async Task A_sub_orchestration_is_tried_again_under_the_same_id(EngineKind kind)
    {
        await using var engine = kind.Open();
        var calls = 0;
        List<string> ids = [];
        engine.Activity("Count", (string id) =>
        {
            lock (ids) ids.Add(id);
            return Interlocked.Increment(ref calls);
        });
        engine.Orchestrator<int>("Child", async context =>
        {
            var attempt = await context.CallActivityAsync<int>("Count", context.InstanceId);
            return attempt < 3 ? throw new TimeoutException("attempt " + attempt) : attempt;
        });
        var retry = new TaskRetryOptions(new RetryPolicy(5, Shortly));
        engine.Orchestrator<string?, int>(
            "Parent", (context, id) => context.CallSubOrchestratorAsync<int>("Child", null, new SubOrchestrationOptions(retry, id)));
        await engine.Start();

        Assert.Equal(3, (await engine.Run("Parent", "child")).Read<int>());
        Assert.Equal(["child", "child", "child"], ids);
        (calls, ids) = (0, []);
        Assert.Equal(3, (await engine.Run("Parent")).Read<int>());
        Assert.Single(ids.Distinct());
    }

    /// <summary>Calls an activity that fails, and is slow where that is asked for; answers how often it ran and how the last attempt ended.</summary>
    private static async Task<(int Attempts, string End)> Attempts(
        EngineKind kind, RetryPolicy policy, int succeedsAt = int.MaxValue, TimeSpan eachTakes = default)
    {
        await using var engine = kind.Open();
        var attempts = 0;
        engine.Activity<int, string>("Flaky", async (_, _) =>
        {
            await Task.Delay(eachTakes, TimeProvider.System);
            return ++attempts == succeedsAt ? "success" : throw new TimeoutException("attempt " + attempts, new IOException("why"));
        });
        engine.Orchestrator("Persist", context => context.CallActivityAsync<string>("Flaky", 0, TaskOptions.FromRetryPolicy(policy)));
        await engine.Start();
        var outcome = await engine.Run("Persist");
        return (attempts, outcome.Failure?.InnerFailure!.ErrorMessage ?? outcome.Read<string>()!);
    }
}
