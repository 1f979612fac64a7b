using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace NodeStash.LocalHost;

/// <summary>
/// The console as a log, in the framework's own formats. The framework's console logger wakes a thread and writes for every line, which
/// costs more than the request the line is about; here lines are collected for a moment and written together. Warnings and worse are
/// written at once.
/// </summary>
[ProviderAlias("Console")]
internal sealed class ConsoleLog : ILoggerProvider, ISupportExternalScope
{
    /// <summary>Characters that may wait. Who logs more, because nobody reads the console, waits for them to be written.</summary>
    private const int MaxWaiting = 1024 * 1024;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    [ThreadStatic]
    private static StringWriter? line;

    private readonly object gate = new();
    private readonly ConsoleFormatter formatter;
    private readonly Thread thread;
    private StringBuilder waiting = new();
    private StringBuilder written = new();
    private bool isUrgent;
    private bool isClosed;
    private IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

    public ConsoleLog(IEnumerable<ConsoleFormatter> formatters, IConfiguration configuration)
    {
        var name = configuration["Logging:Console:FormatterName"] ?? ConsoleFormatterNames.Simple;
        var known = formatters.ToDictionary(f => f.Name, StringComparer.OrdinalIgnoreCase);
        formatter = known.GetValueOrDefault(name) ?? known[ConsoleFormatterNames.Simple];
        thread = new Thread(Write) { IsBackground = true, Name = "console log" };
        thread.Start();
    }

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            Monitor.PulseAll(gate);
        }

        thread.Join();
    }

    private void Add(StringBuilder text, bool atOnce)
    {
        lock (gate)
        {
            while (waiting.Length > MaxWaiting && !isClosed)
            {
                isUrgent = true;
                Monitor.PulseAll(gate);
                Monitor.Wait(gate);
            }

            var wake = waiting.Length == 0 || (atOnce && !isUrgent);
            isUrgent |= atOnce;
            waiting.Append(text);
            if (wake) Monitor.PulseAll(gate);
        }
    }

    private void Write()
    {
        while (true)
        {
            lock (gate)
            {
                while (waiting.Length == 0 && !isClosed) Monitor.Wait(gate);
                if (waiting.Length == 0) return;
                if (!isUrgent && !isClosed) Monitor.Wait(gate, Moment);
                (waiting, written, isUrgent) = (written, waiting, false);
                Monitor.PulseAll(gate);
            }

            try
            {
                Console.Out.Write(written);
            }
            catch (IOException)
            {
                // The log's disk is full, or nobody is there any more: that is no reason to stop answering.
            }

            written.Clear();
        }
    }

    private sealed class Category(ConsoleLog console, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => console.scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel is not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            line ??= new StringWriter();
            console.formatter.Write(new LogEntry<TState>(logLevel, name, eventId, state, exception, formatter), console.scopes, line);
            console.Add(line.GetStringBuilder(), atOnce: logLevel >= LogLevel.Warning);
            line.GetStringBuilder().Clear();
        }
    }
}
