using System.Globalization;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable;

public sealed class OrchestrationsKeptInMemory() : OrchestrationTests(new DurableOptions())
{
    [Fact]
    public async Task Going_on_after_something_that_is_not_durable_fails_the_orchestration_even_while_it_waits_for_something_durable()
    {
        var foreign = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Host.Orchestrator("Stray", async (TaskOrchestrationContext context, int _) =>
        {
            var never = context.WaitForExternalEvent<int>("never");
            await foreign.Task;
            return await never;
        });
        await Host.Start();
        var id = await Host.Schedule("Stray");
        await Host.Begun(id);
        foreign.SetResult();

        Assert.True((await Host.End(id)).FailureDetails!.IsCausedBy<NonDeterminismException>());
    }
}

public sealed class OrchestrationsReplayedAtEveryTurn() : OrchestrationTests(new DurableOptions { CachedExecutions = 0 });

/// <summary>What orchestrators can do; the same whether they are kept in memory between turns or not.</summary>
public abstract class OrchestrationTests(DurableOptions options) : IAsyncLifetime
{
    private readonly DurableHost host = new(options);

    protected DurableHost Host => host;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return host.DisposeAsync();
    }

    [Fact]
    public async Task Activities_run_one_after_the_other_and_the_output_is_what_the_orchestrator_returns()
    {
        host.Activity("Add", (int[] numbers) => numbers.Sum());
        host.Orchestrator("Sum", async (TaskOrchestrationContext context, int start) =>
        {
            var first = await context.CallActivityAsync<int>("Add", new[] { start, 1 });
            return await context.CallActivityAsync<int>("add", new[] { first, 10 });
        });
        await host.Start();

        var end = await host.Run("sum", 100);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, end.RuntimeStatus);
        Assert.Equal(111, end.ReadOutputAs<int>());
        Assert.Equal(100, end.ReadInputAs<int>());
    }

    [Fact]
    public async Task Activities_can_run_side_by_side()
    {
        var both = new CountdownEvent(2);
        var met = new TaskCompletionSource();
        host.Activity<int, int>("Meet", async (n, _) =>
        {
            if (both.Signal()) met.SetResult();
            await met.Task;
            return n;
        });
        host.Orchestrator("Pair", (TaskOrchestrationContext context, int _) => Task.WhenAll(
            context.CallActivityAsync<int>("Meet", 1), context.CallActivityAsync<int>("Meet", 2)));
        await host.Start();

        var output = (await host.Run("Pair")).ReadOutputAs<int[]>();
        Assert.Equal([1, 2], output!);
    }

    [Fact]
    public async Task A_failed_activity_is_thrown_into_the_orchestrator_with_its_details()
    {
        host.Activity<int, int>("Break", (int n) => throw new InvalidDataException("bad " + n, new TimeoutException("slow")));
        host.Orchestrator("Try", async (TaskOrchestrationContext context, int _) =>
        {
            try
            {
                return (await context.CallActivityAsync<int>("Break", 7)).ToString(CultureInfo.InvariantCulture);
            }
            catch (TaskFailedException e)
            {
                return $"{e.TaskName} {e.FailureDetails.ErrorMessage} {e.FailureDetails.IsCausedBy<InvalidDataException>()} "
                    + $"{e.FailureDetails.InnerFailure!.IsCausedBy<TimeoutException>()}";
            }
        });
        await host.Start();

        Assert.Equal("Break bad 7 True True", (await host.Run("Try")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task An_orchestrator_that_throws_fails_its_orchestration_and_the_cause_can_be_read()
    {
        host.Activity<int, int>("Break", (int _) => throw new InvalidDataException("bad"));
        host.Orchestrator("Fail", (TaskOrchestrationContext context, int _) => context.CallActivityAsync<int>("Break", 1));
        await host.Start();

        var end = await host.Run("Fail");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, end.RuntimeStatus);
        Assert.True(end.FailureDetails!.IsCausedBy<TaskFailedException>());
        Assert.True(end.FailureDetails.InnerFailure!.IsCausedBy<InvalidDataException>());
    }

    [Fact]
    public async Task An_output_that_cannot_be_written_fails_the_orchestration()
    {
        host.Orchestrator("Pointer", (TaskOrchestrationContext _, int _) => Task.FromResult<object>(typeof(int)));
        await host.Start();

        Assert.True((await host.Run("Pointer")).FailureDetails!.IsCausedBy<NotSupportedException>());
    }

    [Fact]
    public async Task A_retry_policy_waits_longer_each_time_up_to_its_limit()
    {
        List<double> attempts = [];
        var start = host.Time.GetUtcNow();
        host.Activity<int, int>("Flaky", (int _) =>
        {
            attempts.Add((host.Time.GetUtcNow() - start).TotalSeconds);
            return attempts.Count < 5 ? throw new TimeoutException() : 42;
        });
        var retry = TaskOptions.FromRetryPolicy(new RetryPolicy(9, TimeSpan.FromSeconds(1), 2, TimeSpan.FromSeconds(3)));
        host.Orchestrator("Persist", (TaskOrchestrationContext context, int _) => context.CallActivityAsync<int>("Flaky", 1, retry));
        await host.Start();

        var end = await host.EndWithTimers(await host.Schedule("Persist"));

        Assert.Equal(42, end.ReadOutputAs<int>());
        Assert.Equal([0, 1, 3, 6, 9], attempts);
    }

    [Theory]
    [InlineData("attempts", 3)]
    [InlineData("timeout", 2)]
    [InlineData("filter", 1)]
    public async Task A_retry_policy_ends_with_the_last_failure(string limit, int expected)
    {
        var attempts = 0;
        host.Activity<int, int>("Broken", (int _) =>
        {
            attempts++;
            throw new TimeoutException("attempt " + attempts);
        });
        var second = TimeSpan.FromSeconds(1);
        var policy = limit switch
        {
            "attempts" => new RetryPolicy(3, second),
            "timeout" => new RetryPolicy(9, second, retryTimeout: second),
            _ => new RetryPolicy(9, second) { HandleFailure = failure => !failure.IsCausedBy<TimeoutException>() },
        };
        host.Orchestrator(
            "Persist", (TaskOrchestrationContext context, int _) => context.CallActivityAsync<int>("Broken", 1, TaskOptions.FromRetryPolicy(policy)));
        await host.Start();

        var end = await host.EndWithTimers(await host.Schedule("Persist"));

        Assert.Equal(expected, attempts);
        Assert.Equal("attempt " + expected, end.FailureDetails!.InnerFailure!.ErrorMessage);
    }

    [Fact]
    public async Task A_retry_handler_decides_after_each_failure_and_may_wait_first()
    {
        host.Activity<int, int>("Broken", (int _) => throw new TimeoutException());
        AsyncRetryHandler handler = async retry =>
        {
            await retry.OrchestrationContext.CreateTimer(TimeSpan.FromSeconds(2), CancellationToken.None);
            return retry.LastAttemptNumber < 3;
        };
        host.Orchestrator("Persist", async (TaskOrchestrationContext context, int _) =>
        {
            var start = context.CurrentUtcDateTime;
            try
            {
                await context.CallActivityAsync<int>("Broken", 1, TaskOptions.FromRetryHandler(handler));
            }
            catch (TaskFailedException)
            {
            }

            return (context.CurrentUtcDateTime - start).TotalSeconds;
        });
        await host.Start();

        Assert.Equal(6, (await host.EndWithTimers(await host.Schedule("Persist"))).ReadOutputAs<double>());
    }

    [Fact]
    public async Task A_timer_fires_at_its_time_and_not_before()
    {
        host.Orchestrator("Sleep", async (TaskOrchestrationContext context, int _) =>
        {
            await context.CreateTimer(TimeSpan.FromDays(40), CancellationToken.None);
            return context.CurrentUtcDateTime;
        });
        await host.Start();
        var due = host.Time.GetUtcNow().AddDays(40);
        var id = await host.Schedule("Sleep");
        await host.Begun(id);

        host.Time.Advance(TimeSpan.FromDays(40) - TimeSpan.FromTicks(1));
        Assert.True((await host.Client.GetInstanceAsync(id))!.IsRunning);

        host.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(due.UtcDateTime, (await host.End(id)).ReadOutputAs<DateTime>());
    }

    [Fact]
    public async Task A_cancelled_timer_throws_and_never_fires()
    {
        host.Orchestrator("Cancel", async (TaskOrchestrationContext context, int _) =>
        {
            using var cancel = new CancellationTokenSource();
            var timer = context.CreateTimer(TimeSpan.FromHours(1), cancel.Token);
            await context.CreateTimer(TimeSpan.FromSeconds(1), CancellationToken.None);
            cancel.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => timer);
            await context.CreateTimer(TimeSpan.FromSeconds(1), CancellationToken.None);
            return "cancelled";
        });
        await host.Start();

        Assert.Equal("cancelled", (await host.EndWithTimers(await host.Schedule("Cancel"))).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Events_are_kept_until_they_are_awaited_and_given_in_order_whatever_the_case_of_their_name()
    {
        host.Orchestrator("Listen", async (TaskOrchestrationContext context, int _) =>
        {
            await context.WaitForExternalEvent<bool>("go");
            return new[] { await context.WaitForExternalEvent<int>("NUMBER"), await context.WaitForExternalEvent<int>("number") };
        });
        var id = await host.Schedule("Listen");
        await host.Client.RaiseEventAsync(id, "Number", 1);
        await host.Start();
        await host.Begun(id);
        await host.Client.RaiseEventAsync(id, "Number", 2);
        await host.Client.RaiseEventAsync(id, "Go", true);

        var output = (await host.End(id)).ReadOutputAs<int[]>();
        Assert.Equal([1, 2], output!);
    }

    [Fact]
    public async Task Waiting_for_an_event_ends_with_its_timeout_and_a_later_event_is_still_received()
    {
        host.Orchestrator("Listen", async (TaskOrchestrationContext context, int _) =>
        {
            try
            {
                await context.WaitForExternalEvent<int>("number", TimeSpan.FromSeconds(5));
            }
            catch (OperationCanceledException)
            {
                context.SetCustomStatus("late");
            }

            return await context.WaitForExternalEvent<int>("number", TimeSpan.FromSeconds(5));
        });
        await host.Start();
        var id = await host.Schedule("Listen");
        await host.Begun(id);
        host.Time.Advance(TimeSpan.FromSeconds(5));
        await host.Until(id, instance => instance.SerializedCustomStatus == "\"late\"");
        await host.Client.RaiseEventAsync(id, "number", 3);

        Assert.Equal(3, (await host.End(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task An_orchestration_can_send_an_event_to_another()
    {
        host.Orchestrator("Receive", (TaskOrchestrationContext context, int _) => context.WaitForExternalEvent<string>("letter"));
        host.Orchestrator("Send", (TaskOrchestrationContext context, string to) =>
        {
            context.SendEvent(to, "Letter", "from " + context.InstanceId);
            context.SendEvent("nobody", "Letter", "lost");
            return Task.FromResult(0);
        });
        await host.Start();
        var receiver = await host.Schedule("Receive");
        await host.Schedule("Send", receiver, "sender");

        Assert.Equal("from sender", (await host.End(receiver)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_sub_orchestration_answers_its_parent_and_knows_it()
    {
        host.Orchestrator("Child", (TaskOrchestrationContext context, int n) => Task.FromResult($"{context.Parent!.Name} {context.Parent.InstanceId} {n}"));
        host.Orchestrator("Parent", (TaskOrchestrationContext context, int _) =>
            context.CallSubOrchestratorAsync<string>("Child", 5, new SubOrchestrationOptions(instanceId: "the child")));
        await host.Start();
        var id = await host.Schedule("Parent", id: "the parent");

        Assert.Equal("Parent the parent 5", (await host.End(id)).ReadOutputAs<string>());
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await host.Client.GetInstanceAsync("the child"))!.RuntimeStatus);
    }

    [Fact]
    public async Task A_sub_orchestration_that_fails_or_whose_id_is_taken_fails_its_call()
    {
        host.Orchestrator<int, int>("Child", (context, _) => throw new InvalidDataException("bad child"));
        host.Orchestrator("Parent", async (TaskOrchestrationContext context, string? childId) =>
        {
            try
            {
                await context.CallSubOrchestratorAsync("Child", 1, new SubOrchestrationOptions(instanceId: childId));
                return "fine";
            }
            catch (TaskFailedException e)
            {
                return e.FailureDetails.ErrorMessage;
            }
        });
        await host.Start();
        var self = await host.Schedule("Parent", "self", "self");

        Assert.Equal("bad child", (await host.Run("Parent")).ReadOutputAs<string>());
        Assert.Contains("'self' is already running", (await host.End(self)).ReadOutputAs<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "0:a 1:b 2:c")]
    [InlineData(false, "0:a 1:c")]
    public async Task Continuing_as_new_starts_afresh_with_or_without_the_events_nobody_awaited(bool keep, string expected)
    {
        var received = new List<string>();
        host.Activity("Note", (string line) =>
        {
            received.Add(line);
            return 0;
        });
        host.Orchestrator("Loop", async (TaskOrchestrationContext context, int round) =>
        {
            var letter = await context.WaitForExternalEvent<string>("letter");
            await context.CallActivityAsync("Note", $"{round}:{letter}");
            if (letter != "c") context.ContinueAsNew(round + 1, keep);
            return round;
        });
        var id = await host.Schedule("Loop", 0);
        await host.Client.RaiseEventAsync(id, "letter", "a");
        await host.Client.RaiseEventAsync(id, "letter", "b");
        await host.Start();
        await host.Until(id, instance => instance.ReadInputAs<int>() == (keep ? 2 : 1));
        await host.Client.RaiseEventAsync(id, "letter", "c");
        await host.End(id);

        Assert.Equal(expected, string.Join(' ', received));
    }

    [Fact]
    public async Task An_answer_meant_for_an_instance_that_was_replaced_is_not_taken()
    {
        var answers = new[] { new TaskCompletionSource<string>(), new TaskCompletionSource<string>() };
        var called = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        host.Activity<int, string>("Answer", (n, _) =>
        {
            called[n].SetResult();
            return answers[n].Task;
        });
        host.Orchestrator("Ask", (TaskOrchestrationContext context, int n) => context.CallActivityAsync<string>("Answer", n));
        host.Activity("Echo", (int n) => n);
        host.Orchestrator("Meanwhile", (TaskOrchestrationContext context, int n) => context.CallActivityAsync<int>("Echo", n));
        await host.Start();
        await host.Schedule("Ask", 0, "one");
        await called[0].Task;
        await host.Client.TerminateInstanceAsync("one");
        await host.Schedule("Ask", 1, "one");
        await called[1].Task;
        answers[0].SetResult("for the first");
        for (var i = 0; i < 3; i++) await host.Run("Meanwhile");
        answers[1].SetResult("for the second");

        Assert.Equal("for the second", (await host.End("one")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Ids_and_time_are_the_same_at_every_replay()
    {
        List<(Guid Id, DateTime At)> seen = [];
        host.Activity("Echo", (int n) => n);
        host.Orchestrator("Ids", async (TaskOrchestrationContext context, int _) =>
        {
            seen.Add((context.NewGuid(), context.CurrentUtcDateTime));
            var second = context.NewGuid();
            await context.CreateTimer(TimeSpan.FromSeconds(1), CancellationToken.None);
            await context.CallActivityAsync<int>("Echo", 1);
            return second != seen[0].Id;
        });
        await host.Start();

        Assert.True((await host.EndWithTimers(await host.Schedule("Ids"))).ReadOutputAs<bool>());
        Assert.Single(seen.Distinct());
    }

    [Fact]
    public async Task A_replay_safe_logger_says_everything_once()
    {
        var lines = new Lines();
        host.Loggers = lines;
        host.Activity("Echo", (int n) => n);
        host.Orchestrator("Talk", async (TaskOrchestrationContext context, int _) =>
        {
            var log = context.CreateReplaySafeLogger("talk");
            log.LogInformation("one");
            await context.CallActivityAsync<int>("Echo", 1);
            log.LogInformation("two");
            await context.CallActivityAsync<int>("Echo", 1);
            log.LogInformation("three");
            return 0;
        });
        await host.Start();
        await host.Run("Talk");

        Assert.Equal(["one", "two", "three"], lines.Said.Where(line => !line.Contains(' ', StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_custom_status_can_be_read_while_the_orchestration_runs()
    {
        host.Orchestrator("Show", async (TaskOrchestrationContext context, int _) =>
        {
            context.SetCustomStatus(new { Step = 1 });
            return await context.WaitForExternalEvent<int>("go");
        });
        await host.Start();
        var id = await host.Schedule("Show");

        Assert.Equal("""{"Step":1}""", (await host.Begun(id)).SerializedCustomStatus);
    }

    [Fact]
    public async Task Awaiting_something_that_is_not_durable_fails_the_orchestration()
    {
        var foreign = new TaskCompletionSource();
        host.Orchestrator("Stray", async (TaskOrchestrationContext _, int _) =>
        {
            await foreign.Task;
            return 0;
        });
        await host.Start();

        var end = await host.Run("Stray");

        Assert.True(end.FailureDetails!.IsCausedBy<NonDeterminismException>());
        Assert.Contains($"'{end.InstanceId}'", end.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_that_nobody_registered_fail_the_orchestration_or_the_call_and_are_not_retried()
    {
        host.Orchestrator("Call", (TaskOrchestrationContext context, int _) =>
            context.CallActivityAsync<int>("Missing", 1, TaskOptions.FromRetryPolicy(new RetryPolicy(9, TimeSpan.FromDays(1)))));
        await host.Start();

        Assert.Contains("no orchestrator named 'Nothing'", (await host.Run("Nothing")).FailureDetails!.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains("no activity named 'Missing'", (await host.Run("Call")).FailureDetails!.InnerFailure!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_passed_as_the_input_are_refused()
    {
        host.Orchestrator("Mistake", (TaskOrchestrationContext context, int _) => context.CallActivityAsync<int>("Any", (object)new TaskOptions()));
        await host.Start();

        Assert.True((await host.Run("Mistake")).FailureDetails!.IsCausedBy<ArgumentException>());
    }

    private sealed class Lines : ILoggerFactory, ILogger
    {
        public List<string> Said { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Said) Said.Add(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
