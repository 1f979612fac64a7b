using System.Text.Json.Serialization;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using NodeStash.LocalHost.Durable;

namespace NodeStash.LocalHost.Tests.Durable;

/// <summary>A workflow as a value: it can be worked out without an engine, and run on one.</summary>
[JsonDerivedType(typeof(Step), "step")]
[JsonDerivedType(typeof(Pause), "pause")]
[JsonDerivedType(typeof(Signal), "signal")]
[JsonDerivedType(typeof(InTurn), "turn")]
[JsonDerivedType(typeof(SideBySide), "side")]
[JsonDerivedType(typeof(Below), "below")]
[JsonDerivedType(typeof(Again), "again")]
internal abstract record Workflow
{
    /// <summary>What a registry needs to run workflows.</summary>
    /// <param name="registry">To be filled.</param>
    /// <param name="client">Of the engine that will run them.</param>
    /// <param name="onStep">Called by each run of a <see cref="Step"/>'s activity.</param>
    public static void Register(DurableRegistry registry, Func<DurableTaskClient> client, Func<int, Task> onStep)
    {
        registry.AddOrchestrator("Workflow", async (_, context) => await context.GetInput<Workflow>()!.Run(context));
        registry.AddOrchestrator("Again", async (_, context) =>
        {
            var (times, inner, before) = context.GetInput<AgainState>()!;
            var results = before + await inner.Run(context);
            if (times == 1) return results;
            context.ContinueAsNew(new AgainState(times - 1, inner, results));
            return null;
        });
        registry.AddActivity("Step", typeof(int), async (_, _, input, _) =>
        {
            await onStep((int)input!);
            return (int)input! * 2;
        });
        registry.AddActivity("Raise", typeof(string), async (_, activity, input, ct) =>
        {
            await client().RaiseEventAsync(activity.InstanceId, (string)input!, input, ct);
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

        public override async Task<string> Run(TaskOrchestrationContext context) => $"[{string.Join(' ', await Task.WhenAll(Parts.Select(part => part.Run(context))))}]";
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

        public override Task<string> Run(TaskOrchestrationContext context) => context.CallSubOrchestratorAsync<string>("Again", new AgainState(Times, Inner, ""));
    }

    private sealed record AgainState(int Times, Workflow Inner, string Results);
}
