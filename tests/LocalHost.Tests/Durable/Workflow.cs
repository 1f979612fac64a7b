using System.Text.Json.Serialization;
using Microsoft.DurableTask;
using NodeStash.LocalHost.Tests.Durable.Official;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>A workflow as a value: it can be worked out without an engine, and run on one.</summary>
[JsonDerivedType(typeof(Step), "step")]
[JsonDerivedType(typeof(Broken), "broken")]
[JsonDerivedType(typeof(Pause), "pause")]
[JsonDerivedType(typeof(Signal), "signal")]
[JsonDerivedType(typeof(InTurn), "turn")]
[JsonDerivedType(typeof(SideBySide), "side")]
[JsonDerivedType(typeof(Below), "below")]
[JsonDerivedType(typeof(Again), "again")]
internal abstract record Workflow
{
    /// <summary>Registers what workflows need.</summary>
    /// <param name="functions">Of the engine that will run them.</param>
    /// <param name="raise">Raises an event on it: the id of an instance, the name of the event, its payload.</param>
    /// <param name="onStep">Called by each run of a <see cref="Step"/>'s activity.</param>
    public static void Register(IFunctions functions, Func<string, string, object, Task> raise, Func<int, Task> onStep)
    {
        functions.Orchestrator("Workflow", (TaskOrchestrationContext context, Workflow workflow) => workflow.Run(context));
        functions.Orchestrator<AgainState, string?>("Again", async (context, state) =>
        {
            var results = state.Results + await state.Inner.Run(context);
            if (state.Times == 1) return results;
            context.ContinueAsNew(new AgainState(state.Times - 1, state.Inner, results));
            return null;
        });
        functions.Activity("Step", async (TaskActivityContext _, int number) =>
        {
            await onStep(number);
            return number * 2;
        });
        functions.Activity<int, int>("Break", (_, number) => throw new TimeoutException($"slow {number}", new IOException("why")));
        functions.Activity<string, object?>("Raise", async (activity, name) =>
        {
            await raise(activity.InstanceId, name, name);
            return null;
        });
    }

    /// <summary>The result, worked out without an engine.</summary>
    public abstract string Straight();

    public abstract Task<string> Run(TaskOrchestrationContext context);

    /// <summary>An activity.</summary>
    internal sealed record Step(int Number) : Workflow
    {
        public override string Straight() => $"{Number * 2}";

        public override async Task<string> Run(TaskOrchestrationContext context) => $"{await context.CallActivityAsync<int>("Step", Number)}";
    }

    /// <summary>An activity that fails at every attempt.</summary>
    internal sealed record Broken(int Number, int Attempts) : Workflow
    {
        public override string Straight() => $"Break: System.TimeoutException: slow {Number} < System.IO.IOException: why";

        public override async Task<string> Run(TaskOrchestrationContext context)
        {
            var retry = TaskOptions.FromRetryPolicy(new RetryPolicy(Attempts, TimeSpan.FromMilliseconds(1)));
            var e = await Assert.ThrowsAsync<TaskFailedException>(() => context.CallActivityAsync<int>("Break", Number, retry));
            return $"{e.TaskName}: {Outcome.Describe(e.FailureDetails)}";
        }
    }

    /// <summary>A timer.</summary>
    internal sealed record Pause(TimeSpan Time) : Workflow
    {
        public override string Straight() => "-";

        public override async Task<string> Run(TaskOrchestrationContext context)
        {
            var due = context.CurrentUtcDateTime + Time;
            await context.CreateTimer(due, CancellationToken.None);
            return context.CurrentUtcDateTime >= due ? "-" : "early";
        }
    }

    /// <summary>An event from outside. Whoever raises it may do so again.</summary>
    internal sealed record Signal(int Number) : Workflow
    {
        public override string Straight() => $"signal {Number}";

        public override async Task<string> Run(TaskOrchestrationContext context)
        {
            await context.CallActivityAsync("Raise", Straight());
            return await context.WaitForExternalEvent<string>(Straight());
        }
    }

    internal sealed record InTurn(Workflow[] Parts) : Workflow
    {
        public override string Straight() => $"({string.Join(' ', Parts.Select(part => part.Straight()))})";

        public override async Task<string> Run(TaskOrchestrationContext context)
        {
            List<string> results = [];
            foreach (var part in Parts) results.Add(await part.Run(context));
            return $"({string.Join(' ', results)})";
        }
    }

    internal sealed record SideBySide(Workflow[] Parts) : Workflow
    {
        public override string Straight() => $"[{string.Join(' ', Parts.Select(part => part.Straight()))}]";

        public override async Task<string> Run(TaskOrchestrationContext context) =>
            $"[{string.Join(' ', await Task.WhenAll(Parts.Select(part => part.Run(context))))}]";
    }

    /// <summary>A sub-orchestration.</summary>
    internal sealed record Below(Workflow Inner) : Workflow
    {
        public override string Straight() => $"<{Inner.Straight()}>";

        public override async Task<string> Run(TaskOrchestrationContext context) => $"<{await context.CallSubOrchestratorAsync<string>("Workflow", Inner)}>";
    }

    /// <summary>A sub-orchestration that begins anew after each time.</summary>
    internal sealed record Again(int Times, Workflow Inner) : Workflow
    {
        public override string Straight() => string.Concat(Enumerable.Repeat(Inner.Straight(), Times));

        public override Task<string> Run(TaskOrchestrationContext context) =>
            context.CallSubOrchestratorAsync<string>("Again", new AgainState(Times, Inner, ""));
    }

    private sealed record AgainState(int Times, Workflow Inner, string Results);
}
