using Microsoft.DurableTask;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>What survives when the process ends, in good order or not.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private readonly DurableHost host = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task What_was_scheduled_but_never_begun_runs_after_the_restart()
    {
        host.Orchestrator("Echo", (TaskOrchestrationContext _, int n) => Task.FromResult(n));
        var id = await host.Schedule("Echo", 5);

        await host.Reopen();
        await host.Start();

        Assert.Equal(5, (await host.End(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task An_activity_under_way_runs_again()
    {
        var runs = 0;
        var pending = new TaskCompletionSource();
        host.Activity<int, int>("Work", async (n, ct) =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                pending.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            }

            return n;
        });
        host.Orchestrator("Call", (TaskOrchestrationContext context, int n) => context.CallActivityAsync<int>("Work", n));
        await host.Start();
        var id = await host.Schedule("Call", 7);
        await pending.Task;

        await host.Reopen();
        await host.Start();

        Assert.Equal(7, (await host.End(id)).ReadOutputAs<int>());
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task An_activity_whose_answer_is_on_disk_does_not_run_again_though_the_orchestrator_never_saw_it()
    {
        var runs = 0;
        using var answered = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        host.Activity("Work", (int n) => Interlocked.Increment(ref runs) + n);
        host.Orchestrator("Call", async (TaskOrchestrationContext context, int n) =>
        {
            var answer = await context.CallActivityAsync<int>("Work", n);
            answered.Set();
            goOn.Wait();
            return answer;
        });
        await host.Start();
        var id = await host.Schedule("Call", 10);
        answered.Wait();

        var dead = host.Crash();
        goOn.Set();
        await host.Start();

        Assert.Equal(11, (await host.End(id)).ReadOutputAs<int>());
        Assert.Equal(1, runs);
        await dead.DisposeAsync();
    }

    [Fact]
    public async Task A_turn_that_was_not_written_is_taken_again()
    {
        var turns = 0;
        using var begun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        host.Orchestrator("Slow", (TaskOrchestrationContext _, int n) =>
        {
            Interlocked.Increment(ref turns);
            begun.Set();
            goOn.Wait();
            return Task.FromResult(n);
        });
        await host.Start();
        var id = await host.Schedule("Slow", 3);
        begun.Wait();

        var dead = host.Crash();
        goOn.Set();
        await host.Start();

        Assert.Equal(3, (await host.End(id)).ReadOutputAs<int>());
        Assert.Equal(2, turns);
        await dead.DisposeAsync();
    }

    [Fact]
    public async Task A_timer_that_came_due_in_the_meantime_fires_at_once()
    {
        host.Orchestrator("Sleep", async (TaskOrchestrationContext context, int _) =>
        {
            await context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
            return context.CurrentUtcDateTime;
        });
        await host.Start();
        var id = await host.Schedule("Sleep");
        await host.Begun(id);

        await host.Reopen();
        host.Time.Advance(TimeSpan.FromHours(3));
        await host.Start();

        Assert.Equal(host.Time.GetUtcNow().UtcDateTime, (await host.End(id)).ReadOutputAs<DateTime>());
    }

    [Fact]
    public async Task Events_sub_orchestrations_and_retries_go_on_where_they_were()
    {
        var attempts = 0;
        host.Activity("Flaky", (int n) => Interlocked.Increment(ref attempts) < 3 ? throw new TimeoutException() : n);
        host.Orchestrator("Child", async (TaskOrchestrationContext context, int n) => n + await context.WaitForExternalEvent<int>("add"));
        host.Orchestrator("Parent", async (TaskOrchestrationContext context, int n) =>
        {
            var child = await context.CallSubOrchestratorAsync<int>("Child", n, new SubOrchestrationOptions(instanceId: "child"));
            return await context.CallActivityAsync<int>("Flaky", child, TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromSeconds(1))));
        });
        await host.Start();
        var id = await host.Schedule("Parent", 1);
        await host.Until("child", instance => instance.IsRunning);
        await host.Reopen();
        await host.Client.RaiseEventAsync("child", "add", 10);
        await host.Reopen();
        await host.Start();
        await host.End("child");
        await host.Reopen();
        await host.Start();

        Assert.Equal(11, (await host.EndWithTimers(id)).ReadOutputAs<int>());
    }

    [Theory]
    [InlineData("activity 'Second' #1", "activity 'Other' #1")]
    [InlineData("activity 'Second' #1", "timer #1")]
    [InlineData("activity 'Second' #1", "asked for nothing")]
    [InlineData("activity 'Second' #1", "the orchestrator returned")]
    [InlineData("history says nothing", "activity 'Third' #2")]
    public async Task Code_that_departs_from_its_history_fails_with_what_each_of_them_says(string history, string code)
    {
        host.Activity("First", (int n) => n);
        var hold = new TaskCompletionSource<int>();
        host.Activity<int, int>("Second", (_, ct) => hold.Task.WaitAsync(ct));
        host.Orchestrator("Change", async (TaskOrchestrationContext context, int n) =>
        {
            await context.CallActivityAsync<int>("First", n);
            context.SetCustomStatus("second");
            return await context.CallActivityAsync<int>("Second", n);
        });
        await host.Start();
        var id = await host.Schedule("Change", 1, "the instance");
        await host.Until(id, instance => instance.SerializedCustomStatus is not null);

        await host.Reopen(new DurableRegistry());
        host.Activity("Second", (int n) => n);
        host.Orchestrator("Change", async (TaskOrchestrationContext context, int n) =>
        {
            await context.CallActivityAsync<int>("First", n);
            return code switch
            {
                "activity 'Other' #1" => await context.CallActivityAsync<int>("Other", n),
                "timer #1" => await context.WaitForExternalEvent<int>("never", TimeSpan.FromSeconds(1)),
                "asked for nothing" => await context.WaitForExternalEvent<int>("never"),
                "activity 'Third' #2" => (await Task.WhenAll(context.CallActivityAsync<int>("Second", n), context.CallActivityAsync<int>("Third", n)))[0],
                _ => n,
            };
        });
        await host.Start();

        var failure = (await host.End(id)).FailureDetails!;
        Assert.True(failure.IsCausedBy<NonDeterminismException>());
        Assert.Contains("'the instance'", failure.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains(history, failure.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains(code, failure.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_waits_for_activities_under_way_and_takes_up_no_others()
    {
        var begun = new TaskCompletionSource();
        var work = new TaskCompletionSource<int>();
        var others = 0;
        host.Activity<int, int>("Work", (_, _) =>
        {
            begun.SetResult();
            return work.Task;
        });
        host.Activity("Other", (int n) => Interlocked.Increment(ref others) + n);
        host.Orchestrator("Call", async (TaskOrchestrationContext context, int n) =>
            await context.CallActivityAsync<int>("Work", n) + await context.CallActivityAsync<int>("Other", n));
        await host.Start();
        var id = await host.Schedule("Call", 0);
        await begun.Task;

        var stopping = host.Stop();
        Assert.False(stopping.IsCompleted);
        work.SetResult(1);
        await stopping;
        Assert.Equal(0, others);
        await host.Reopen();
        await host.Start();

        Assert.Equal(2, (await host.End(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task An_activity_that_outlasts_the_shutdown_is_told_so()
    {
        var told = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        host.Activity<int, int>("Work", async (_, ct) =>
        {
            using var registration = ct.Register(told.SetResult);
            begun.SetResult();
            return await new TaskCompletionSource<int>().Task;
        });
        host.Orchestrator("Call", (TaskOrchestrationContext context, int n) => context.CallActivityAsync<int>("Work", n));
        await host.Start();
        await host.Schedule("Call", 0);
        await begun.Task;

        await host.Stop(new CancellationToken(canceled: true));

        Assert.True(told.Task.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Clients_that_wait_are_released_when_the_engine_goes()
    {
        host.Orchestrator("Wait", (TaskOrchestrationContext context, int _) => context.WaitForExternalEvent<int>("never"));
        await host.Start();
        var waiting = host.End(await host.Schedule("Wait"));

        await host.Reopen();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
