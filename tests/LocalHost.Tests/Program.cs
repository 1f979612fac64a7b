using System.Globalization;
using NodeStash.LocalHost.Tests.Durable;

// The engine in a process of its own, for tests that kill it.
await using var life = new EngineLife(args[0], int.Parse(args[1], CultureInfo.InvariantCulture));
await life.Start();
await Console.Out.WriteLineAsync("started");
await foreach (var id in life.Schedule(int.Parse(args[2], CultureInfo.InvariantCulture))) await Console.Out.WriteLineAsync(id);
await Task.Delay(Timeout.Infinite);
