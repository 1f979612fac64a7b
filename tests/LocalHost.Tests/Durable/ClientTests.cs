using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>What can be done with instances from outside.</summary>
public sealed class ClientTests : IAsyncLifetime
{
    private readonly DurableHost host = new(new DurableOptions { Retention = TimeSpan.FromHours(1) });

    public async ValueTask InitializeAsync()
    {
        host.Orchestrator("Echo", (TaskOrchestrationContext _, string? text) => Task.FromResult(text));
        host.Orchestrator("Wait", (TaskOrchestrationContext context, int _) => context.WaitForExternalEvent<int>("go"));
        host.Orchestrator("Parent", (TaskOrchestrationContext context, string child) =>
            context.CallSubOrchestratorAsync<int>("Wait", 0, new SubOrchestrationOptions(instanceId: child)));
        await host.Start();
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task An_id_in_use_is_refused_and_a_finished_one_is_taken_over()
    {
        await host.Schedule("Wait", id: "one");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => host.Schedule("Echo", "early", "one"));
        await host.Client.RaiseEventAsync("one", "go", 1);
        await host.End("one");
        await host.Schedule("Echo", "again", "one");

        Assert.Contains("'one' already exists", refused.Message, StringComparison.Ordinal);
        Assert.Equal("again", (await host.End("one")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Dedupe_statuses_say_which_instances_are_kept()
    {
        await host.Schedule("Echo", "done", "done");
        await host.End("done");
        await host.Schedule("Wait", id: "waits");
        await host.Begun("waits");
        var keepCompleted = new StartOrchestrationOptions("done").WithDedupeStatuses(OrchestrationRuntimeStatus.Completed);
        var keepNone = new StartOrchestrationOptions("waits").WithDedupeStatuses();
        var keepNonsense = new StartOrchestrationOptions("any") { DedupeStatuses = ["Nonsense"] };
        var contradiction = new StartOrchestrationOptions("any").WithDedupeStatuses(OrchestrationRuntimeStatus.Terminated);

        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Client.ScheduleNewOrchestrationInstanceAsync("Echo", "x", keepCompleted));
        await host.Client.ScheduleNewOrchestrationInstanceAsync("Echo", "replaced", keepNone);
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.ScheduleNewOrchestrationInstanceAsync("Echo", "x", keepNonsense));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.ScheduleNewOrchestrationInstanceAsync("Echo", "x", contradiction));

        Assert.Equal("replaced", (await host.End("waits")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_start_time_delays_the_first_turn_also_across_a_restart()
    {
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync(
            "Echo", "late", new StartOrchestrationOptions(StartAt: host.Time.GetUtcNow().AddHours(1)));
        await host.Client.RaiseEventAsync(id, "knock");
        await host.Reopen();
        await host.Start();
        await host.Run("Echo", "in the meantime");
        Assert.Equal(OrchestrationRuntimeStatus.Pending, (await host.Client.GetInstanceAsync(id))!.RuntimeStatus);

        host.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal("late", (await host.End(id)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task A_suspended_orchestration_keeps_what_happens_until_it_is_resumed()
    {
        var id = await host.Schedule("Wait");
        await host.Begun(id);
        await host.Client.SuspendInstanceAsync(id);
        await host.Client.RaiseEventAsync(id, "go", 4);
        await host.Run("Echo", "others go on");
        Assert.Equal(OrchestrationRuntimeStatus.Suspended, (await host.Client.GetInstanceAsync(id))!.RuntimeStatus);

        await host.Client.ResumeInstanceAsync(id);

        Assert.Equal(4, (await host.End(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task A_terminated_orchestration_shows_the_output_it_was_given_and_hears_nothing_more()
    {
        var id = await host.Schedule("Wait");
        await host.Begun(id);

        await host.Client.TerminateInstanceAsync(id, "enough");
        await host.Client.RaiseEventAsync(id, "go", 1);
        await host.Client.TerminateInstanceAsync("unknown");

        var end = await host.End(id);
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, end.RuntimeStatus);
        Assert.Equal("enough", end.ReadOutputAs<string>());
    }

    [Theory]
    [InlineData(true, OrchestrationRuntimeStatus.Terminated)]
    [InlineData(false, OrchestrationRuntimeStatus.Running)]
    public async Task Terminating_takes_the_sub_orchestrations_along_only_where_asked(bool recursive, OrchestrationRuntimeStatus child)
    {
        await host.Schedule("Parent", "child", "parent");
        await host.Until("child", instance => instance.IsRunning);

        await host.Client.TerminateInstanceAsync("parent", new TerminateInstanceOptions(Recursive: recursive));

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await host.End("parent")).RuntimeStatus);
        Assert.Equal(child, (await host.Client.GetInstanceAsync("child"))!.RuntimeStatus);
    }

    [Fact]
    public async Task A_terminated_sub_orchestration_fails_its_call()
    {
        await host.Schedule("Parent", "child", "parent");
        await host.Until("child", instance => instance.IsRunning);

        await host.Client.TerminateInstanceAsync("child");

        Assert.Contains("terminated", (await host.End("parent")).FailureDetails!.InnerFailure!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_finished_instances_can_be_purged_alone_or_with_their_sub_orchestrations()
    {
        await host.Schedule("Parent", "child", "parent");
        await host.Until("child", instance => instance.IsRunning);
        Assert.Equal(0, (await host.Client.PurgeInstanceAsync("parent")).PurgedInstanceCount);
        await host.Client.RaiseEventAsync("child", "go", 1);
        await host.End("parent");

        Assert.Equal(2, (await host.Client.PurgeInstanceAsync("parent", new PurgeInstanceOptions(Recursive: true))).PurgedInstanceCount);

        Assert.Null(await host.Client.GetInstanceAsync("child"));
        Assert.Null(await host.Client.WaitForInstanceCompletionAsync("parent"));
    }

    [Fact]
    public async Task Purging_by_filter_takes_finished_instances_of_that_time_and_state()
    {
        await host.Run("Echo", "old");
        host.Time.Advance(TimeSpan.FromMinutes(1));
        var from = host.Time.GetUtcNow();
        await host.Run("Echo", "new");
        await host.Run("Unknown");
        var waits = await host.Schedule("Wait");

        var completed = await host.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter(from, null, [OrchestrationRuntimeStatus.Completed]));
        var all = await host.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter());

        Assert.Equal((1, 2), (completed.PurgedInstanceCount, all.PurgedInstanceCount));
        Assert.NotNull(await host.Client.GetInstanceAsync(waits));
    }

    [Fact]
    public async Task Finished_instances_are_purged_once_they_have_been_kept_long_enough()
    {
        var finished = (await host.Run("Echo")).InstanceId;
        var waits = await host.Schedule("Wait");
        await host.Begun(waits);

        host.Time.Advance(TimeSpan.FromMinutes(50));
        Assert.NotNull(await host.Client.GetInstanceAsync(finished));
        while (await host.Client.GetInstanceAsync(finished) is not null)
        {
            host.Time.AdvanceToNext(TimeSpan.FromMinutes(5));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        Assert.NotNull(await host.Client.GetInstanceAsync(waits));
    }

    [Fact]
    public async Task Restarting_runs_the_same_input_again_under_the_same_or_a_new_id()
    {
        var id = (await host.Run("Echo", "hello")).InstanceId;
        var waits = await host.Schedule("Wait");

        var another = await host.Client.RestartAsync(id, restartWithNewInstanceId: true);
        Assert.NotEqual(id, another);
        Assert.Equal("hello", (await host.End(another)).ReadOutputAs<string>());
        Assert.Equal(id, await host.Client.RestartAsync(id));
        Assert.Equal("hello", (await host.End(id)).ReadOutputAs<string>());
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Client.RestartAsync(waits));
        await Assert.ThrowsAsync<ArgumentException>(() => host.Client.RestartAsync("unknown"));
    }

    [Fact]
    public async Task Instances_are_listed_page_by_page_in_order_and_by_condition()
    {
        foreach (var id in new[] { "a1", "a2", "a3", "b1" }) await host.Schedule("Echo", id, id);
        foreach (var id in new[] { "a1", "a2", "a3", "b1" }) await host.End(id);
        await host.Schedule("Wait", id: "a4");

        List<string[]> pages = [];
        await foreach (var page in host.Client.GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: "a", PageSize: 2)).AsPages())
            pages.Add([.. page.Values.Select(instance => instance.InstanceId)]);
        List<string?> completed = [];
        await foreach (var instance in host.Client.GetAllInstancesAsync(
            new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Completed], FetchInputsAndOutputs: true)))
            completed.Add(instance.ReadOutputAs<string>());

        Assert.Equal([["a1", "a2"], ["a3", "a4"]], pages);
        Assert.Equal(["a1", "a2", "a3", "b1"], completed);
    }

    [Fact]
    public async Task Tags_and_version_are_those_of_the_start_and_payloads_are_read_only_where_asked()
    {
        host.Orchestrator("Version", (TaskOrchestrationContext context, int _) => Task.FromResult(context.Version));
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync(
            "Version", new StartOrchestrationOptions { Version = "2.1", Tags = new Dictionary<string, string> { ["of"] = "test" } });

        var end = await host.End(id);

        Assert.Equal("2.1", end.ReadOutputAs<string>());
        Assert.Equal("test", end.Tags["of"]);
        Assert.Throws<InvalidOperationException>(() => host.Client.GetInstanceAsync(id).GetAwaiter().GetResult()!.ReadOutputAs<string>());
    }

    [Fact]
    public async Task Turns_activities_and_timers_are_measured_and_traced_below_the_caller()
    {
        Dictionary<string, double> measured = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "NodeStash.Durable") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument.Name, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument.Name, value));
        listener.Start();
        List<ActivityTraceId> traces = [];
        using var tracing = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "NodeStash.Durable",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.OperationName != "Traced") return;
                lock (traces) traces.Add(activity.TraceId);
            },
        };
        ActivitySource.AddActivityListener(tracing);
        host.Activity("Traced", (int n) => n);
        host.Orchestrator("Measured", async (TaskOrchestrationContext context, int _) =>
        {
            await context.CreateTimer(TimeSpan.FromSeconds(1), CancellationToken.None);
            return await context.CallActivityAsync<int>("Traced", 1);
        });
        await host.Reopen();
        await host.Start();
        using var caller = new Activity("caller").Start();
        await host.EndWithTimers(await host.Schedule("Measured"));

        lock (measured)
        {
            Assert.True(measured["nodestash.durable.orchestrations.started"] >= 1);
            Assert.True(measured["nodestash.durable.orchestrations.completed"] >= 1);
            Assert.True(measured["nodestash.durable.activities"] >= 1);
            Assert.Contains("nodestash.durable.timer.lag", measured.Keys);
        }

        lock (traces) Assert.Contains(caller.TraceId, traces);

        void Add(string name, double value)
        {
            lock (measured) measured[name] = measured.GetValueOrDefault(name) + value;
        }
    }
}
